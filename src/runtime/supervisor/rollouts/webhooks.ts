import { isDeepStrictEqual } from 'node:util';
import type { RolloutsConfig } from '../../../config/rollout-schema.ts';
import { systemAlarm } from '../../../limits/alarm.ts';
import type { Log } from '../../../telemetry/access-log.ts';
import type { SupervisorMetrics } from '../../../telemetry/supervisor-metrics.ts';
import { type Deliverable, Webhook } from './webhook.ts';

export interface WebhooksOptions {
  readonly log: Log;
  readonly metrics: SupervisorMetrics;
  readonly wallMs: () => number;
}

/** All addresses that are told of rollouts, as the config has them now. */
export class Webhooks {
  readonly #o: WebhooksOptions;
  #config: RolloutsConfig['webhooks'] = [];
  #secrets: readonly string[] = [];
  #all: readonly Webhook[] = [];

  constructor(options: WebhooksOptions) {
    this.#o = options;
  }

  /** Events that wait, of all addresses. */
  get length(): number {
    return this.#all.reduce((sum, webhook) => sum + webhook.length, 0);
  }

  /** From here on these are told; `secrets` has one for each, empty where none is wanted. */
  configure(config: RolloutsConfig['webhooks'], secrets: readonly string[]): void {
    if (isDeepStrictEqual(config, this.#config) && isDeepStrictEqual(secrets, this.#secrets)) return;
    this.close();
    this.#config = config;
    this.#secrets = secrets;
    this.#all = config.map((webhook, w) => this.#build(webhook, secrets[w]!));
  }

  send(event: Deliverable): void {
    for (const webhook of this.#all) webhook.send(event);
  }

  close(): void {
    for (const webhook of this.#all) webhook.close();
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
