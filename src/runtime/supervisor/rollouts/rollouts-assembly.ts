import { createHash, randomBytes } from 'node:crypto';
import type { ModelConfig, VariantConfig } from '../../../config/model-schema.ts';
import type { Config } from '../../../config/schema.ts';
import type { Clock } from '../../../core/clock.ts';
import type { ControlPlane } from '../../../core/control-plane.ts';
import { systemAlarm } from '../../../limits/alarm.ts';
import { alphaOfEpoch } from '../../../router/rollout/alpha.ts';
import { judge } from '../../../router/rollout/judge.ts';
import { nextMove } from '../../../router/rollout/step.ts';
import type { Log } from '../../../telemetry/access-log.ts';
import type { CountedRollout, SupervisorMetrics } from '../../../telemetry/supervisor-metrics.ts';
import type { AuditLog } from '../audit-log.ts';
import type { Fleet } from '../fleet.ts';
import type { TruthBook } from '../truth-book.ts';
import type { PlanNow } from './canary-share.ts';
import type { RolloutPace } from './canary-vitals.ts';
import { EvidenceSums } from './evidence-sums.ts';
import { eventOf } from './rollout-event.ts';
import type { RolloutHouse } from './rollout-house.ts';
import { isOver } from './rollout-record.ts';
import { FileRolloutStore } from './rollout-store.ts';
import { Rollouts } from './rollouts.ts';
import { Webhooks } from './webhooks.ts';

export interface RolloutSources {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: SupervisorMetrics;
  readonly audit: AuditLog;
  readonly fleet: Fleet;
  readonly stateDir: string;
  /** As they are in force now. */
  readonly config: () => Config;
  readonly book: () => TruthBook;
  readonly webhookSecrets: () => readonly string[];
  /** Built after this, since it shows the rollouts. */
  readonly plane: () => ControlPlane;
}

/** The rollouts of a gateway with all that they need. */
export class RolloutDesk {
  readonly rollouts: Rollouts;
  readonly evidence: EvidenceSums;
  readonly webhooks: Webhooks;
  readonly #o: RolloutSources;
  /** Config objects are never changed, so each is digested once. */
  readonly #digests = new WeakMap<ModelConfig, Readonly<Record<string, string>>>();

  constructor(sources: RolloutSources) {
    this.#o = sources;
    const { clock, log, metrics, fleet, config, plane } = sources;
    this.evidence = new EvidenceSums({
      fleet,
      acknowledgeTimeoutMs: () => config().supervision.acknowledgeTimeoutMs,
    });
    this.webhooks = new Webhooks({ log, metrics, wallMs: () => clock.wallMs() });
    this.rollouts = new Rollouts({
      house: this.#house(),
      setAlarm: systemAlarm,
      model: (name) => this.#model(name),
      plans: () => plane().plans(),
      workers: () => ({ acknowledged: fleet.live.length, total: fleet.live.length }),
      newId: () => randomBytes(4).toString('hex'),
      maxKept: () => config().rollouts.maxKept,
      onError: (error) => log.error('look at a rollout failed', { err: error }),
    });
  }

  /** When workers serve, and before the ports open: no request goes by a share that a rollout has changed. */
  async open(): Promise<void> {
    this.configured();
    const problem = await this.rollouts.open();
    if (problem !== '') this.#o.log.error('rollouts cannot be started', { reason: problem });
  }

  /** The config may say something new of those who are told. */
  configured(): void {
    this.webhooks.configure(this.#o.config().rollouts.webhooks, this.#o.webhookSecrets());
  }

  /** Those under way. */
  counted(): readonly CountedRollout[] {
    return this.rollouts
      .list()
      .filter((view) => !isOver(view))
      .map(({ spec, state, step, problem, judgement }) => ({
        model: spec.model,
        variant: spec.variant,
        state,
        step,
        stuck: problem !== '',
        pValues: judgement === null ? [] : judgement.metrics,
      }));
  }

  async close(): Promise<void> {
    await this.rollouts.close();
    this.webhooks.close();
  }

  #house(): RolloutHouse {
    const { clock, log, metrics, audit, stateDir, config, plane } = this.#o;
    return {
      clock,
      audit,
      judge: { judge, alphaOf: alphaOfEpoch, next: nextMove },
      store: new FileRolloutStore(stateDir),
      evidence: this.evidence,
      plans: {
        plan: (model) => this.#plan(model),
        changeWeights: (change) =>
          plane().traffic.change({ ...change, cause: 'rollout', dryRun: false, pins: null, fallbacks: null }),
      },
      pace: (model) => this.#model(model)?.rollout ?? LOST_PACE,
      told: (record, transition) => {
        const event = eventOf(record, transition, config().rollouts.source);
        metrics.rolloutMoved(record.spec.model, transition.to);
        log.info('rollout', { event: event.id, ...event.data });
        this.webhooks.send(event);
      },
      stuck: ({ id, spec }, problem) => {
        const of = { rollout: id, model: spec.model };
        if (problem === '') log.info('rollout goes on', of);
        else log.error('rollout cannot go on', { ...of, reason: problem });
      },
    };
  }

  #model(name: string): ModelConfig | null {
    const { models } = this.#o.config();
    return Object.hasOwn(models, name) ? models[name]! : null;
  }

  #plan(model: string): PlanNow | null {
    const plan = this.#o.book().plan(model);
    const config = this.#model(model);
    if (plan === null || config === null) return null;
    const weightsBp = Object.fromEntries(plan.variants.map(({ name }, v) => [name, plan.weights[v]!]));
    return { revision: plan.revision, stable: plan.variants[0]!.name, weightsBp, digests: this.#digestsOf(config) };
  }

  #digestsOf(config: ModelConfig): Readonly<Record<string, string>> {
    let digests = this.#digests.get(config);
    if (digests === undefined) {
      digests = Object.fromEntries(config.variants.map((variant) => [variant.name, digestOf(variant)]));
      this.#digests.set(config, digests);
    }
    return digests;
  }
}

/** Of a model that the config has no more, whose rollout has no more to do than to end. */
const LOST_PACE: RolloutPace = { lookMs: 1_000, downMs: 1_000, maxWorkerEnds: 1 };

function digestOf(variant: VariantConfig): string {
  const { backend, price, role } = variant;
  return createHash('sha256').update(JSON.stringify({ role, backend, price })).digest('hex').slice(0, 16);
}
