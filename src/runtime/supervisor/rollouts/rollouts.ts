import { AsyncLocalStorage } from 'node:async_hooks';
import type { ModelConfig } from '../../../config/model-schema.ts';
import type { Operation, PlanView, Reached } from '../../../core/control-plane.ts';
import type {
  RolloutAction,
  RolloutControl,
  RolloutResult,
  RolloutSpec,
  RolloutStart,
  RolloutView,
} from '../../../core/rollout.ts';
import type { SetAlarm } from '../../../limits/alarm.ts';
import { type PlanNow, subjectOf } from './canary-share.ts';
import { Rollout } from './rollout.ts';
import type { RolloutHouse } from './rollout-house.ts';
import type { Outcome } from './rollout-outcome.ts';
import { isOver, type RolloutRecord } from './rollout-record.ts';
import { specOf } from './rollout-start.ts';

export interface RolloutsOptions {
  readonly house: RolloutHouse;
  readonly setAlarm: SetAlarm;
  /** Null where config has no such model. */
  readonly model: (name: string) => ModelConfig | null;
  readonly plans: () => Promise<readonly PlanView[]>;
  /** Those that serve now, all of them. */
  readonly workers: () => Reached;
  /** Never one that there was. */
  readonly newId: () => string;
  /** Rollouts that are over and still shown. */
  readonly maxKept: () => number;
  /** A look has failed in a way that nothing foresaw; there will be another. */
  readonly onError: (error: unknown) => void;
}

/** All rollouts: at most one under way for each model, each looked at in its own time, and none of them doing two things at once. */
export class Rollouts implements RolloutControl {
  readonly #o: RolloutsOptions;
  readonly #all = new Map<string, Entry>();
  readonly #starting = new Set<string>();
  /** Why not all that are on disk could be read; empty when they were. */
  #unread = '';
  /** Out of the scope of whoever has started a rollout: what it does by itself nobody has asked for. */
  readonly #outside = AsyncLocalStorage.snapshot();
  #closed = false;

  constructor(options: RolloutsOptions) {
    this.#o = options;
  }

  /** Goes on with those that the last process has left. Returns why not all could be read, or an empty text. */
  async open(): Promise<string> {
    const { records, problem } = this.#o.house.store.read();
    this.#unread = problem;
    const entries = records.map((record) => this.#add(new Rollout(this.#o.house, record)));
    await Promise.all(
      entries
        .filter(({ rollout }) => !isOver(rollout.record) || rollout.record.pending)
        .map((entry) => this.#alone(entry, () => entry.rollout.reopen())),
    );
    this.#forget();
    return problem;
  }

  /** Nothing is looked at any more, and nothing is changed: they go on in the next process. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const entry of this.#all.values()) entry.stopAlarm();
    await Promise.all([...this.#all.values()].map(({ tail }) => tail));
  }

  /** A worker has ended unasked. */
  workerEnded(): void {
    for (const { rollout } of this.#all.values()) rollout.workerEnded();
  }

  list(): readonly RolloutView[] {
    const views = [...this.#all.values()].map(({ rollout }) => rollout.view);
    return views.sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
  }

  find(id: string): RolloutView | null {
    return this.#all.get(id)?.rollout.view ?? null;
  }

  async start(start: RolloutStart): Promise<RolloutResult> {
    const config = this.#o.model(start.model);
    if (config === null) return { is: 'unknown' };
    // An operator may have repaired it meanwhile.
    if (this.#unread !== '') this.#unread = this.#o.house.store.read().problem;
    if (this.#unread !== '') return { is: 'unkept', problem: this.#unread };
    const other = this.#underWay(start.model);
    if (other !== '') return { is: 'conflict', problem: other };
    this.#starting.add(start.model);
    try {
      const plan = (await this.#o.plans()).find(({ model }) => model === start.model);
      if (plan === undefined) return { is: 'conflict', problem: 'no worker serves now; ask again in a moment' };
      const spec = specOf(start, config, plan);
      if (Array.isArray(spec)) return { is: 'invalid', problems: spec };
      const now = this.#o.house.plans.plan(start.model);
      if (now === null) return { is: 'unknown' };
      return await this.#begin(this.#record(spec, config, start, now), start);
    } finally {
      this.#starting.delete(start.model);
    }
  }

  pause(action: RolloutAction): Promise<RolloutResult> {
    return this.#act(action, (rollout) => rollout.pause(action));
  }

  resume(action: RolloutAction): Promise<RolloutResult> {
    return this.#act(action, (rollout) => rollout.resume(action));
  }

  approve(action: RolloutAction): Promise<RolloutResult> {
    return this.#act(action, (rollout) => rollout.approve(action));
  }

  promote(action: RolloutAction): Promise<RolloutResult> {
    return this.#act(action, (rollout) => rollout.promote(action));
  }

  abort(action: RolloutAction): Promise<RolloutResult> {
    return this.#act(action, (rollout) => rollout.abort(action));
  }

  async #begin(record: RolloutRecord, by: Operation): Promise<RolloutResult> {
    const rollout = new Rollout(this.#o.house, record);
    const outcome = await rollout.begin(by);
    if (outcome.is !== 'applied') {
      // Nothing of it is in force, so nothing of it may be found by the next process.
      this.#o.house.store.remove(record.id);
      await this.#o.house.evidence.end(record.spec.model);
      return outcome;
    }
    this.#add(rollout);
    return this.#result(rollout, outcome);
  }

  async #act({ id }: RolloutAction, run: (rollout: Rollout) => Promise<Outcome>): Promise<RolloutResult> {
    const entry = this.#all.get(id);
    if (entry === undefined) return { is: 'unknown' };
    let result: RolloutResult | null = null;
    await this.#alone(entry, async () => {
      const { transitionCount } = entry.rollout.record;
      const outcome = await run(entry.rollout);
      const { record } = entry.rollout;
      const goesOn = record.pending && record.transitionCount > transitionCount;
      result =
        outcome.is !== 'applied' && goesOn ? { is: 'delayed', problem: outcome.problem } : this.#result(entry.rollout, outcome);
    });
    return result!;
  }

  #result(rollout: Rollout, outcome: Outcome): RolloutResult {
    if (outcome.is !== 'applied') return outcome;
    return { is: 'applied', rollout: rollout.view, workers: outcome.workers ?? this.#o.workers() };
  }

  /** Why the model's plan is not free; empty when it is. */
  #underWay(model: string): string {
    if (this.#starting.has(model)) return `another rollout of "${model}" is being started`;
    for (const { rollout } of this.#all.values()) {
      const { id, spec, state } = rollout.record;
      if (spec.model === model && !rollout.isOver) return `rollout ${id} of "${model}" is ${state}; end it first`;
    }
    return '';
  }

  #record(spec: RolloutSpec, { riskTier }: ModelConfig, { actor, reason }: Operation, now: PlanNow): RolloutRecord {
    const at = new Date(this.#o.house.clock.wallMs()).toISOString();
    return {
      version: 1,
      id: this.#o.newId(),
      spec,
      riskTier,
      state: 'waiting',
      pausedIn: 'waiting',
      step: -1,
      epochs: 0,
      stepStartedAt: at,
      startedBy: actor,
      startedAt: at,
      reason,
      beforeBp: now.weightsBp[spec.variant]!,
      subject: subjectOf(now, spec.variant),
      pending: false,
      planRevision: now.revision,
      approvedBy: [],
      judgement: null,
      transitions: [],
      transitionCount: 0,
    };
  }

  #add(rollout: Rollout): Entry {
    const entry: Entry = { rollout, tail: Promise.resolve(), stopAlarm: () => undefined };
    this.#all.set(rollout.record.id, entry);
    this.#schedule(entry);
    return entry;
  }

  /** Runs `task` behind all that was begun for this rollout before. */
  #alone(entry: Entry, task: () => Promise<unknown>): Promise<void> {
    const run = entry.tail.then(task).then(() => this.#forget());
    entry.tail = run.catch(() => undefined);
    return run;
  }

  #schedule(entry: Entry): void {
    const { rollout } = entry;
    if (this.#closed || rollout.isOver) return;
    const { lookMs } = this.#o.house.pace(rollout.record.spec.model);
    entry.stopAlarm = this.#o.setAlarm(lookMs, () => this.#outside(() => void this.#look(entry)));
  }

  async #look(entry: Entry): Promise<void> {
    try {
      await this.#alone(entry, () => (this.#closed ? Promise.resolve() : entry.rollout.look()));
    } catch (error) {
      this.#o.onError(error);
    }
    this.#schedule(entry);
  }

  /** The oldest of those that are over, where there are too many. */
  #forget(): void {
    const over = [...this.#all].filter(([, { rollout }]) => rollout.isOver);
    if (over.length <= this.#o.maxKept()) return;
    over.sort(([, a], [, b]) => (a.rollout.record.startedAt < b.rollout.record.startedAt ? -1 : 1));
    for (const [id] of over.slice(0, over.length - this.#o.maxKept())) {
      this.#all.delete(id);
      this.#o.house.store.remove(id);
    }
  }
}

interface Entry {
  readonly rollout: Rollout;
  /** Ends when all that was begun has. Never rejects. */
  tail: Promise<void>;
  stopAlarm: () => void;
}
