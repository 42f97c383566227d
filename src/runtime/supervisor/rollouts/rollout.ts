import type { Clock } from '../../../core/clock.ts';
import type { Operation } from '../../../core/control-plane.ts';
import type { RolloutTransition, RolloutView } from '../../../core/rollout.ts';
import { WHOLE_BP } from '../../../core/units.ts';
import { type AuditLog, recorded } from '../audit-log.ts';
import { CanaryShare, type PlanAccess } from './canary-share.ts';
import { CanaryVitals, type RolloutPace } from './canary-vitals.ts';
import type { EvidenceDesk } from './evidence-sums.ts';
import type { RolloutJudge } from './rollout-judge.ts';
import { APPLIED, type Outcome, refusal } from './rollout-outcome.ts';
import { isOver, lastReason, moved, type RolloutRecord, standingOf, viewOf, weightBpOf } from './rollout-record.ts';
import type { RolloutStore } from './rollout-store.ts';
import { sumOf } from './sum-of.ts';

export interface RolloutHouse {
  readonly clock: Clock;
  readonly judge: RolloutJudge;
  readonly audit: AuditLog;
  readonly store: RolloutStore;
  readonly plans: PlanAccess;
  readonly evidence: EvidenceDesk;
  readonly pace: (model: string) => RolloutPace;
  /** Hears of every transition when it is in force. */
  readonly told: (record: RolloutRecord, transition: RolloutTransition) => void;
  /** Hears once of each thing that keeps it from going on, and of the end of it by an empty text. */
  readonly stuck: (record: RolloutRecord, problem: string) => void;
}

/**
 * One rollout: its steps, its judge, and the people who may stop it. What moves is put on record and on disk before it takes effect. What
 * takes traffic away from the canary needs the record alone, so that a full disk keeps nobody on a bad one. Its methods must not overlap.
 */
export class Rollout {
  readonly #house: RolloutHouse;
  readonly #share: CanaryShare;
  #record: RolloutRecord;
  #problem = '';
  /** The disk does not hold the record as it is. */
  #unkept = false;
  #sinceMs = 0;
  /** Of the canary at this step. */
  #requests = 0;
  readonly #vitals = new CanaryVitals();

  constructor(house: RolloutHouse, record: RolloutRecord) {
    this.#house = house;
    this.#record = record;
    this.#share = new CanaryShare(house.plans, { ...record.spec, subject: record.subject });
  }

  get record(): RolloutRecord {
    return this.#record;
  }

  get view(): RolloutView {
    return viewOf(this.#record, this.#problem);
  }

  /** Nothing of it is left to be done. */
  get isOver(): boolean {
    return isOver(this.#record) && !this.#record.pending && !this.#unkept;
  }

  /** A worker has ended unasked. */
  workerEnded(): void {
    this.#vitals.workerEnded();
  }

  /** The first step, or the wait for those who have to approve it. */
  begin(by: Operation): Promise<Outcome> {
    this.#share.adopt();
    const waits = this.#needs(0) > 0;
    const to = waits ? ({ state: 'waiting' } as const) : ({ state: 'running', step: 0, pending: true } as const);
    return this.#move('start', to, by);
  }

  /** Goes on in another process where the last one has ended. */
  async reopen(): Promise<void> {
    const record = this.#record;
    if (isOver(record)) {
      // Its share was to be taken away, and maybe was: by now another share would be another's doing.
      const now = this.#house.plans.plan(record.spec.model)?.weightsBp[record.spec.variant];
      const stepBp = record.spec.steps[record.step]?.weightBp;
      if (now !== stepBp) this.#keep({ ...record, pending: false });
      else await this.#settle(this.#self(lastReason(record)));
      return;
    }
    this.#record = { ...record, pending: record.step >= 0, judgement: null };
    if (record.step < 0) this.#share.adopt();
    await this.#move('reopen', {}, this.#self('goes on after a restart of the gateway'));
  }

  /** One look at the evidence, and what follows from it. */
  async look(): Promise<void> {
    if (this.#unkept && this.#keep(this.#record) === '') this.#say('');
    if (this.#record.pending) {
      const done = await this.#settle(this.#self(lastReason(this.#record)));
      if (done.is === 'applied' && !this.#unkept) this.#say('');
      return;
    }
    if (isOver(this.#record)) return;
    const taken = this.#share.taken();
    if (taken !== '') {
      await this.#supersede(taken);
      return;
    }
    if (this.#record.state === 'paused') return;
    const broken = this.#record.step < 0 ? '' : await this.#judge();
    if (broken === '') await this.#follow();
    else await this.#rollBack(broken);
  }

  async pause(by: Operation): Promise<Outcome> {
    const { state } = this.#record;
    if (state !== 'running' && state !== 'waiting') return this.#isNot('running or waiting');
    return this.#move('pause', { state: 'paused', pausedIn: state }, by);
  }

  async resume(by: Operation): Promise<Outcome> {
    const { state, pausedIn, step } = this.#record;
    if (state !== 'paused') return this.#isNot('paused');
    return this.#move('resume', { state: pausedIn, pending: step >= 0 }, by);
  }

  async approve(by: Operation): Promise<Outcome> {
    const { state, step, approvedBy, startedBy, riskTier } = this.#record;
    if (state !== 'running' && state !== 'waiting') return this.#isNot('running or waiting');
    const needs = this.#needs(step + 1);
    if (needs === 0) return refusal('the next step needs no approval');
    if (approvedBy.includes(by.actor)) return refusal(`"${by.actor}" has approved it already; it takes ${needs} people`);
    if (riskTier !== 'low' && by.actor === startedBy) {
      return refusal(`"${by.actor}" has started it; a model of ${riskTier} risk needs the approval of others`);
    }
    const approved = await this.#move('approve', { approvedBy: [...approvedBy, by.actor] }, by);
    // Whether the step begins is for the judge to say, who may have changed his mind while it waited.
    if (approved.is === 'applied' && state === 'waiting') await this.look();
    return approved;
  }

  async promote(by: Operation): Promise<Outcome> {
    const { state, step, pending, approvedBy } = this.#record;
    if (state !== 'running' && state !== 'waiting') return this.#isNot('running or waiting');
    if (pending) return refusal('the share of its step is not in force yet; ask again in a moment');
    const needs = this.#needs(step + 1);
    // A promotion overrules the judge, and never those who have to approve.
    if (approvedBy.length < needs) return refusal(`the next step needs ${needs} approvals and has ${approvedBy.length}`);
    return this.#advance(by);
  }

  async abort(by: Operation): Promise<Outcome> {
    if (isOver(this.#record)) return this.#isNot('under way');
    return this.#move('abort', { state: 'aborted', pending: true }, by);
  }

  /** Looks at the evidence of the step. Returns why the canary has to go without a test, or an empty text. */
  async #judge(): Promise<string> {
    const { clock, evidence, judge, pace } = this.#house;
    const { spec, epochs } = this.#record;
    const { stable, canary, down } = await evidence.look(spec.model);
    // With all traffic at the canary there is no stable beside it to compare with.
    if (weightBpOf(this.#record) < WHOLE_BP) {
      const alpha = judge.alphaOf(spec.alpha, epochs - 1);
      this.#record = { ...this.#record, judgement: judge.judge(stable, canary, { tolerance: spec.tolerance, alpha }) };
    }
    this.#requests = sumOf(canary.requests);
    return this.#vitals.look(down, clock.nowMs(), pace(spec.model));
  }

  async #follow(): Promise<void> {
    const { clock, judge } = this.#house;
    const { spec, step, state, approvedBy, judgement } = this.#record;
    const msAtStep = clock.nowMs() - this.#sinceMs;
    const standing = { step, msAtStep, requests: this.#requests, approvals: approvedBy.length };
    const { move, reason } = judge.next(spec, standing, judgement);
    const by = this.#self(reason);
    switch (move) {
      case 'hold':
        return;
      case 'roll-back':
        await this.#rollBack(reason);
        return;
      case 'await-approval':
        if (state === 'running') await this.#move('wait', { state: 'waiting' }, by);
        return;
      case 'advance':
      case 'complete':
        await this.#advance(by);
        return;
      default:
        move satisfies never;
    }
  }

  #advance(by: Operation): Promise<Outcome> {
    const { step, spec } = this.#record;
    if (step + 1 >= spec.steps.length) return this.#move('complete', { state: 'completed' }, by);
    const to = { state: 'running', step: step + 1, approvedBy: [], pending: true } as const;
    return this.#move('advance', to, by);
  }

  #rollBack(reason: string): Promise<Outcome> {
    return this.#move('roll-back', { state: 'rolled-back', pending: true }, this.#self(reason));
  }

  #supersede(reason: string): Promise<Outcome> {
    return this.#move('supersede', { state: 'superseded', pending: false }, this.#self(reason));
  }

  /** On record, on disk, and then in force. */
  async #move(action: string, to: Partial<RolloutRecord>, by: Operation): Promise<Outcome> {
    const { audit, clock, evidence, told } = this.#house;
    const before = this.#record;
    const next = moved(before, to, { ...by, at: new Date(clock.wallMs()).toISOString() });
    const taken = next.pending ? this.#share.taken() : '';
    if (taken !== '') {
      await this.#supersede(taken);
      return refusal(taken);
    }
    const { actor, reason } = by;
    const { model } = next.spec;
    const entry = { action: `rollout.${action}`, actor, model, before: standingOf(before), after: standingOf(next), reason };
    const unaudited = recorded(audit, entry);
    if (unaudited !== '') return this.#fail('unaudited', unaudited);
    const unkept = this.#keep(next);
    if (unkept !== '' && !TO_SAFETY.has(action)) {
      this.#record = before;
      this.#unkept = false;
      return { is: 'unkept', problem: unkept };
    }
    const done = next.pending ? await this.#settle(by) : APPLIED;
    if (isOver(next) || next.state === 'paused') await evidence.end(model);
    if (done.is === 'applied' && !this.#unkept) this.#say('');
    told(this.#record, next.transitions.at(-1)!);
    return done;
  }

  /** Has the share that the record asks for come into force. */
  async #settle({ actor, reason }: Operation): Promise<Outcome> {
    const { id, spec, state } = this.#record;
    const done = await this.#share.set(weightBpOf(this.#record), { actor, reason: `rollout ${id}: ${reason}` });
    if (done.is === 'taken') {
      if (!isOver(this.#record)) return this.#supersede(done.problem);
      this.#keep({ ...this.#record, pending: false });
      return APPLIED;
    }
    if (done.is !== 'set') return this.#fail(done.is, done.problem);
    const serves = state === 'running' || state === 'waiting';
    if (serves) await this.#beginStep(spec.model);
    this.#keep({ ...this.#record, pending: false });
    return { is: 'applied', workers: done.workers };
  }

  async #beginStep(model: string): Promise<void> {
    const { clock, evidence, plans } = this.#house;
    await evidence.begin(model, plans.plan(model)!.stable, this.#record.spec.variant);
    this.#sinceMs = clock.nowMs();
    this.#requests = 0;
    this.#vitals.reset();
    const stepStartedAt = new Date(clock.wallMs()).toISOString();
    this.#record = { ...this.#record, stepStartedAt, epochs: this.#record.epochs + 1, judgement: null };
  }

  /** Takes `record` for its own, on disk where that can be had. Returns why it could not, or an empty text. */
  #keep(record: RolloutRecord): string {
    this.#record = record;
    const problem = this.#house.store.save(record);
    this.#unkept = problem !== '';
    if (problem !== '') this.#say(`its state cannot be kept: ${problem}`);
    return problem;
  }

  #fail(is: 'conflict' | 'unaudited', problem: string): Outcome {
    this.#say(problem);
    return { is, problem };
  }

  #say(problem: string): void {
    if (this.#problem === problem) return;
    this.#problem = problem;
    this.#house.stuck(this.#record, problem);
  }

  /** People who must approve the step of this number. */
  #needs(step: number): number {
    return this.#record.spec.steps[step]?.approvals ?? 0;
  }

  #self(reason: string): Operation {
    return { actor: `rollout ${this.#record.id}`, reason };
  }

  #isNot(what: string): Outcome {
    return refusal(`it is ${this.#record.state}, and not ${what}`);
  }
}

/** They take traffic away from the canary, or only note that others did. */
const TO_SAFETY: ReadonlySet<string> = new Set(['roll-back', 'abort', 'supersede', 'reopen']);
