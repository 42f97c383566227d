import type { Operation } from '../../../core/control-plane.ts';
import type { RolloutView } from '../../../core/rollout.ts';
import { WHOLE_BP } from '../../../core/units.ts';
import { CanaryShare } from './canary-share.ts';
import { CanaryVitals } from './canary-vitals.ts';
import { RetryWait } from './retry-wait.ts';
import type { RolloutHouse } from './rollout-house.ts';
import { noted } from './rollout-note.ts';
import { APPLIED, type Outcome, refusal } from './rollout-outcome.ts';
import { approvalProblem, isNot, pauseProblem, promotionProblem } from './rollout-people.ts';
import { isOver, lastReason, moved, needsOf, onward, type RolloutRecord, viewOf, weightBpOf } from './rollout-record.ts';
import { sumOf } from './sum-of.ts';

/**
 * One rollout: its steps, its judge, and the people who may stop it. What moves is put on record and on disk before it takes effect. What
 * takes traffic away from the canary needs the audit record alone: it happens although neither the rollout nor the plan can be written down.
 * Without an audit record nothing happens, whoever asks for it. Its methods must not overlap.
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
  readonly #wait = new RetryWait();

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
    const waits = needsOf(this.#record, 0) > 0;
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
      else await this.#settleAgain();
      return;
    }
    this.#record = { ...record, pending: record.step >= 0, judgement: null };
    if (record.step < 0) this.#share.adopt();
    else this.#share.remember(record.planRevision, weightBpOf(record));
    await this.#go('reopen', {}, 'goes on after a restart of the gateway');
  }

  /** One look at the evidence, and what follows from it. */
  async look(): Promise<void> {
    if (this.#unkept && this.#keep(this.#record) === '') this.#say('');
    if (this.#record.pending) {
      await this.#settleAgain();
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
    const problem = pauseProblem(this.#record);
    if (problem !== '') return refusal(problem);
    return this.#move('pause', { state: 'paused', pausedIn: this.#record.state as 'running' | 'waiting' }, by);
  }

  async resume(by: Operation): Promise<Outcome> {
    const { state, pausedIn, step } = this.#record;
    if (state !== 'paused') return refusal(isNot(this.#record, 'paused'));
    return this.#move('resume', { state: pausedIn, pending: step >= 0 }, by);
  }

  async approve(by: Operation): Promise<Outcome> {
    const problem = approvalProblem(this.#record, by.actor);
    if (problem !== '') return refusal(problem);
    const { state, approvedBy } = this.#record;
    const approved = await this.#move('approve', { approvedBy: [...approvedBy, by.actor] }, by);
    // Whether the step begins is for the judge to say, who may have changed his mind while it waited.
    if (approved.is === 'applied' && state === 'waiting') await this.look();
    return approved;
  }

  async promote(by: Operation): Promise<Outcome> {
    const problem = promotionProblem(this.#record);
    return problem === '' ? this.#move(...onward(this.#record), by) : refusal(problem);
  }

  async abort(by: Operation): Promise<Outcome> {
    if (isOver(this.#record)) return refusal(isNot(this.#record, 'under way'));
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
    switch (move) {
      case 'hold':
        // What could not be done before is not wanted any more.
        if (!this.#unkept) this.#say('');
        return;
      case 'roll-back':
        await this.#rollBack(reason);
        return;
      case 'await-approval':
        if (state === 'running') await this.#go('wait', { state: 'waiting' }, reason);
        return;
      case 'advance':
      case 'complete':
        await this.#go(...onward(this.#record), reason);
        return;
      default:
        move satisfies never;
    }
  }

  #rollBack(reason: string): Promise<void> {
    return this.#go('roll-back', { state: 'rolled-back', pending: true }, reason);
  }

  #supersede(reason: string): Promise<void> {
    return this.#go('supersede', { state: 'superseded', pending: false }, reason);
  }

  /** Moves by itself. */
  async #go(action: string, to: Partial<RolloutRecord>, reason: string): Promise<void> {
    if (this.#wait.holds(action, this.#house.clock.nowMs())) return;
    this.#tried(action, await this.#move(action, to, this.#self(reason)));
  }

  async #settleAgain(): Promise<void> {
    if (this.#wait.holds('settle', this.#house.clock.nowMs()) && this.#share.taken() === '') return;
    const done = await this.#settle(this.#self(lastReason(this.#record)));
    this.#tried('settle', done);
    if (done.is === 'applied' && !this.#unkept) this.#say('');
  }

  #tried(action: string, done: Outcome): void {
    const { clock, pace } = this.#house;
    if (done.is === 'applied') this.#wait.reset();
    else if (!isOver(this.#record) || this.#record.pending) {
      // Where there is no audit record there is none to be filled, and the next look may find it repaired.
      if (done.is !== 'unaudited') this.#wait.failed(action, clock.nowMs(), pace(this.#record.spec.model).lookMs);
      this.#say(done.is === 'unkept' ? `it cannot be written down: ${done.problem}` : done.problem);
    }
  }

  /** On record, on disk, and then in force. */
  async #move(action: string, to: Partial<RolloutRecord>, by: Operation): Promise<Outcome> {
    const { audit, clock, evidence, store, told } = this.#house;
    const before = this.#record;
    const next = moved(before, to, { ...by, at: new Date(clock.wallMs()).toISOString() });
    const taken = next.pending ? this.#share.taken() : '';
    if (taken !== '') {
      await this.#supersede(taken);
      return refusal(taken);
    }
    const unaudited = noted(audit, action, before, next, by);
    if (unaudited !== '') return { is: 'unaudited', problem: unaudited };
    const isToSafety = TO_SAFETY.has(action);
    const unkept = store.save(next);
    if (unkept !== '' && !isToSafety) {
      noted(audit, 'not-applied', next, before, { ...by, reason: unkept });
      return { is: 'unkept', problem: unkept };
    }
    this.#hold(next, unkept);
    const done = next.pending ? await this.#settle(by) : APPLIED;
    if (done.is !== 'applied' && !isToSafety) {
      if (this.#record.state !== 'superseded') {
        this.#keep(before);
        noted(audit, 'not-applied', next, before, { ...by, reason: done.problem });
      }
      return done;
    }
    if (isOver(next) || next.state === 'paused') await evidence.end(next.spec.model);
    if (done.is === 'applied' && !this.#unkept) this.#say('');
    told(this.#record, next.transitions.at(-1)!);
    return done;
  }

  /** Has the share that the record asks for come into force. */
  async #settle({ actor, reason }: Operation): Promise<Outcome> {
    const { id, spec, state } = this.#record;
    const done = await this.#share.set(weightBpOf(this.#record), { actor, reason: `rollout ${id}: ${reason}` });
    if (done.is === 'taken') {
      if (isOver(this.#record)) {
        this.#keep({ ...this.#record, pending: false });
        return APPLIED;
      }
      await this.#supersede(done.problem);
      return refusal(done.problem);
    }
    if (done.is !== 'set') return done;
    const serves = state === 'running' || state === 'waiting';
    if (serves) await this.#beginStep(spec.model);
    this.#keep({ ...this.#record, pending: false, planRevision: done.revision });
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
    return this.#hold(record, this.#house.store.save(record));
  }

  #hold(record: RolloutRecord, unkept: string): string {
    this.#record = record;
    this.#unkept = unkept !== '';
    if (unkept !== '') this.#say(`its state cannot be kept: ${unkept}`);
    return unkept;
  }

  #say(problem: string): void {
    if (this.#problem === problem) return;
    this.#problem = problem;
    this.#house.stuck(this.#record, problem);
  }

  #self(reason: string): Operation {
    return { actor: `rollout ${this.#record.id}`, reason };
  }
}

/** They take traffic away from the canary, or only note that others did. */
const TO_SAFETY: ReadonlySet<string> = new Set(['roll-back', 'abort', 'supersede', 'reopen']);
