import { isDeepStrictEqual } from 'node:util';
import type { RolloutsConfig } from '../../../config/rollout-schema.ts';
import { systemAlarm } from '../../../limits/alarm.ts';
import type { Log } from '../../../telemetry/access-log.ts';
import type { SupervisorMetrics } from '../../../telemetry/supervisor-metrics.ts';
import { type Deliverable, SHUTTING_DOWN, Webhook } from './webhook.ts';

export interface WebhooksOptions {
  readonly log: Pick<Log, 'error'>;
  readonly metrics: Pick<SupervisorMetrics, 'webhookEnded'>;
  readonly wallMs: () => number;
}

/** All addresses that are told of rollouts, as the config has them now. */
export class Webhooks {
  readonly #o: WebhooksOptions;
  #all: readonly Told[] = [];

  constructor(options: WebhooksOptions) {
    this.#o = options;
  }

  /** Events that wait, of all addresses. */
  get length(): number {
    return this.#all.reduce((sum, { webhook }) => sum + webhook.length, 0);
  }

  /**
   * From here on these are told; `secrets` has one for each, empty where none is wanted. Of whom nothing new is said keeps the events that
   * wait for it.
   */
  configure(configs: RolloutsConfig['webhooks'], secrets: readonly string[]): void {
    const former = [...this.#all];
    this.#all = configs.map((config, w) => {
      const secret = secrets[w]!;
      const same = former.findIndex((told) => told.secret === secret && isDeepStrictEqual(told.config, config));
      return same < 0 ? { config, secret, webhook: this.#build(config, secret) } : former.splice(same, 1)[0]!;
    });
    for (const { webhook } of former) webhook.close('the config has this webhook no more, or with other settings');
  }

  send(event: Deliverable): void {
    for (const { webhook } of this.#all) webhook.send(event);
  }

  close(): void {
    for (const { webhook } of this.#all) webhook.close(SHUTTING_DOWN);
    this.#all = [];
  }

  #build(config: RolloutsConfig['webhooks'][number], secret: string): Webhook {
    // Paths of such addresses are often what lets one in.
    const { origin } = new URL(config.url);
    return new Webhook({
      config,
      secret,
      wallMs: this.#o.wallMs,
      setAlarm: systemAlarm,
      random: Math.random,
      ended: (event, outcome, problem) => {
        this.#o.metrics.webhookEnded(outcome);
        if (outcome !== 'delivered') this.#o.log.error('rollout event not delivered', { event, to: origin, reason: problem });
      },
    });
  }
}

interface Told {
  readonly config: RolloutsConfig['webhooks'][number];
  readonly secret: string;
  readonly webhook: Webhook;
}
