import { AsyncLocalStorage } from 'node:async_hooks';
import type { ModelConfig } from '../../../../../src/config/model-schema.ts';
import type { RiskTier } from '../../../../../src/config/rollout-schema.ts';
import type { PlanView } from '../../../../../src/core/control-plane.ts';
import { noEvidence } from '../../../../../src/core/evidence.ts';
import type { PlanResult } from '../../../../../src/core/plan-control.ts';
import type { Judgement, RolloutResult, RolloutStart, RolloutStepAsk, RolloutView } from '../../../../../src/core/rollout.ts';
import type { AuditRecord } from '../../../../../src/runtime/supervisor/audit-log.ts';
import type { PlanNow, ShareChange } from '../../../../../src/runtime/supervisor/rollouts/canary-share.ts';
import type { EvidenceDesk } from '../../../../../src/runtime/supervisor/rollouts/evidence-sums.ts';
import type { RolloutJudge } from '../../../../../src/runtime/supervisor/rollouts/rollout-judge.ts';
import type { RolloutRecord } from '../../../../../src/runtime/supervisor/rollouts/rollout-record.ts';
import type { RolloutStore } from '../../../../../src/runtime/supervisor/rollouts/rollout-store.ts';
import { Rollouts } from '../../../../../src/runtime/supervisor/rollouts/rollouts.ts';
import { FakeAlarms } from '../../../../support/fake-alarms.ts';
import { FakeClock } from '../../../../support/fake-clock.ts';
import { configOf } from '../book-of.ts';

const REACHED = { acknowledged: 2, total: 2 };
const TEN: RolloutStepAsk = { weightBp: 1_000, holdMs: 10_000, minRequests: 100, approvals: 0 };
export const TWO_STEPS: readonly RolloutStepAsk[] = [TEN, { ...TEN, weightBp: 5_000 }];
export const NO_TOLERANCE = { errors: null, latency: null, cost: null, maxDisagreement: null };

/** The end of a process, at a point that a test chooses: nothing behind it happens. */
export class Crash extends Error {}

/** What outlives a process: the disk. */
export class Disk implements RolloutStore {
  readonly files = new Map<string, string>();
  problem = '';
  full = '';

  read(): { records: readonly RolloutRecord[]; problem: string } {
    return { records: [...this.files.values()].map((text) => JSON.parse(text) as RolloutRecord), problem: this.problem };
  }

  save(record: RolloutRecord): string {
    if (this.full !== '') return this.full;
    this.files.set(record.id, JSON.stringify(record));
    return '';
  }

  remove(id: string): void {
    this.files.delete(id);
  }
}

/** Rollouts of one model over a fake fleet, plan and judge. */
export class RolloutWorld {
  readonly clock = new FakeClock();
  readonly alarms = new FakeAlarms(this.clock);
  readonly disk: Disk;
  readonly audited: AuditRecord[] = [];
  /** Who asks, as long as it is done for them. */
  readonly scope = new AsyncLocalStorage<string>();
  /** Actions on record, each with who has asked for it. */
  readonly asked: string[] = [];
  readonly told: string[] = [];
  readonly stuck: string[] = [];
  readonly errors: unknown[] = [];
  readonly rollouts: Rollouts;
  readonly config: ModelConfig;
  auditProblem = '';
  /** Why the history of plans cannot be written: what gives the canary more is refused. */
  historyProblem = '';
  /** Counts down what reaches the outside; at 0 the process ends. */
  lives = Number.POSITIVE_INFINITY;
  /** Null when config has lost the model. */
  plan: PlanNow | null = {
    revision: 1,
    stable: 'v1',
    weightsBp: { v1: 10_000, v2: 0 },
    digests: { v1: 'a', v2: 'b' },
  };
  readiness: Record<string, string> = { v1: 'ready', v2: 'ready' };
  verdict: Judgement['verdict'] = 'unsure';
  requests = 1_000;
  down = '';
  epochs = 0;
  watched = false;
  #ids = 0;

  constructor(options: { readonly riskTier?: RiskTier; readonly disk?: Disk; readonly maxKept?: number } = {}) {
    this.disk = options.disk ?? new Disk();
    this.#ids = this.disk.files.size;
    this.config = { ...configOf({ m: ['v1', 'v2'] }).models['m']!, riskTier: options.riskTier ?? 'low' };
    this.rollouts = new Rollouts({
      house: {
        clock: this.clock,
        judge: this.#judge(),
        audit: { write: (record) => this.#audit(record), close: () => undefined },
        store: {
          read: () => this.disk.read(),
          save: (record) => {
            this.#live();
            return this.disk.save(record);
          },
          remove: (id) => this.disk.remove(id),
        },
        plans: { plan: () => this.plan, changeWeights: (change) => this.#change(change) },
        evidence: this.#desk(),
        pace: () => this.config.rollout,
        told: (_record, { from, to, step }) => void this.told.push(`${from} > ${to} ${step}`),
        stuck: (_record, problem) => void this.stuck.push(problem),
      },
      setAlarm: this.alarms.set,
      model: (name) => (name === 'm' && this.plan !== null ? this.config : null),
      plans: () => Promise.resolve(this.#views()),
      workers: () => REACHED,
      newId: () => `r${++this.#ids}`,
      maxKept: () => options.maxKept ?? 10,
      onError: (error) => void this.errors.push(error),
    });
  }

  /** The plan as a person sets it. */
  setByHand(canaryBp: number): void {
    const { plan } = this;
    this.plan = { ...plan!, revision: plan!.revision + 1, weightsBp: { v1: 10_000 - canaryBp, v2: canaryBp } };
  }

  get canaryBp(): number {
    return this.plan!.weightsBp['v2']!;
  }

  start(more: Partial<RolloutStart> = {}): Promise<RolloutResult> {
    const start = { model: 'm', variant: '', steps: TWO_STEPS, tolerance: NO_TOLERANCE, alpha: null };
    return this.rollouts.start({ ...start, actor: 'ann', reason: 'new model', ...more });
  }

  /** Lets time pass, look by look. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 500) {
      this.alarms.advance(500);
      await settled();
      await settled();
    }
  }

  get view(): RolloutView {
    return this.rollouts.list()[0]!;
  }

  /** State, step and share in force. */
  get standing(): string {
    const { state, step } = this.view;
    return `${state} ${step} at ${this.canaryBp}`;
  }

  act(word: 'pause' | 'resume' | 'approve' | 'promote' | 'abort', actor = 'ann'): Promise<RolloutResult> {
    return this.rollouts[word]({ id: this.view.id, actor, reason: 'by hand' });
  }

  get actions(): readonly string[] {
    return this.audited.map(({ action }) => action);
  }

  /** One more thing reaches the world outside this process, unless it has ended. */
  #live(): void {
    if (--this.lives < 0) throw new Crash();
  }

  #audit(record: AuditRecord): void {
    this.#live();
    if (this.auditProblem !== '') throw new Error(this.auditProblem);
    this.audited.push(record);
    this.asked.push(`${record.action} ${this.scope.getStore() ?? 'nobody'}`);
  }

  async #change({ weights, expectedRevision, actor, model, reason }: ShareChange): Promise<PlanResult> {
    const { plan } = this;
    if (plan === null) return { is: 'unknown' };
    if (plan.revision !== expectedRevision) return { is: 'conflict', revision: plan.revision };
    if (this.auditProblem !== '') return { is: 'unaudited', problem: this.auditProblem };
    this.#audit({ action: 'plan.weights', actor, model, before: null, after: null, reason });
    const canaryBp = weights.get('v2')!;
    // Taking share away needs no disk.
    const unkept = this.historyProblem === '' ? this.disk.full : this.historyProblem;
    if (unkept !== '' && canaryBp >= this.canaryBp) return { is: 'unkept', problem: unkept };
    this.setByHand(canaryBp);
    const view = this.#views()[0]!;
    await settled();
    const facts = { revision: plan.revision, weightsBp: plan.weightsBp, pins: [], fallbacks: [] };
    const effect = { before: facts, after: facts, movedBp: 0, moves: [] };
    return { is: 'applied', plan: view, effect, workers: REACHED, unkept: '' };
  }

  #views(): PlanView[] {
    if (this.plan === null) return [];
    const { weightsBp, revision } = this.plan;
    const variants = Object.entries(weightsBp).map(([name, weightBp]) => ({
      name,
      role: name === 'v1' ? 'stable' : 'canary',
      labels: [],
      backend: 'grpc',
      target: '',
      weightBp,
      readiness: this.readiness[name] ?? 'ready',
      reason: '',
      inFlight: 0,
      attempts: 0,
      failures: 0,
      lastFault: '',
    }));
    return [{ model: 'm', revision, variants, pins: [], fallbacks: [] }];
  }

  #judge(): RolloutJudge {
    return {
      judge: () => ({ verdict: this.verdict, reason: `it is ${this.verdict}`, metrics: [] }),
      alphaOf: (alpha, epoch) => alpha / 2 ** (epoch + 1),
      next: (spec, { step, msAtStep, requests, approvals }, judgement) => {
        const move = (word: 'advance' | 'hold' | 'roll-back' | 'complete' | 'await-approval') => ({
          move: word,
          reason: judgement?.reason ?? 'first',
        });
        if (judgement?.verdict === 'harm') return move('roll-back');
        const at = spec.steps[step];
        if (at?.weightBp === 10_000) return move('complete');
        if (at !== undefined && (msAtStep < at.holdMs || requests < at.minRequests || judgement?.verdict !== 'good'))
          return move('hold');
        const next = spec.steps[step + 1];
        if (next === undefined) return move('complete');
        return move(approvals < next.approvals ? 'await-approval' : 'advance');
      },
    };
  }

  #desk(): EvidenceDesk {
    return {
      begin: () => {
        this.epochs++;
        this.watched = true;
        return Promise.resolve();
      },
      end: () => {
        this.watched = false;
        return Promise.resolve();
      },
      look: () => {
        const canary = noEvidence();
        canary.requests[0] = this.requests;
        return Promise.resolve({ stable: noEvidence(), canary, down: this.down });
      },
    };
  }
}

export const settled = (): Promise<void> => new Promise(setImmediate);
