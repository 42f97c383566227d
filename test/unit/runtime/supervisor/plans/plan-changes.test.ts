import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Config } from '../../../../../src/config/schema.ts';
import type { PlanResult } from '../../../../../src/core/plan-control.ts';
import type { PlanState } from '../../../../../src/runtime/ipc/messages.ts';
import type { AuditRecord } from '../../../../../src/runtime/supervisor/audit-log.ts';
import { PlanChanges } from '../../../../../src/runtime/supervisor/plans/plan-changes.ts';
import { PlanHistory } from '../../../../../src/runtime/supervisor/plans/plan-history.ts';
import { PlanKeeper } from '../../../../../src/runtime/supervisor/plans/plan-keeper.ts';
import { TruthBook } from '../../../../../src/runtime/supervisor/truth-book.ts';
import { FakeAlarms } from '../../../../support/fake-alarms.ts';
import { FakeClock } from '../../../../support/fake-clock.ts';
import { FleetWorld } from '../../../../support/fleet-world.ts';
import { configOf } from '../book-of.ts';

const MODELS = { m: ['v1', 'v2:5', 'v3:0'] };
const SILENT: { info: () => void; warn: () => void; error: (message: string) => void } = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A gateway's plans over real files: what a start does, and what changes do. */
class Gateway {
  readonly records: AuditRecord[] = [];
  readonly told: PlanState[] = [];
  readonly history: PlanHistory;
  readonly changes: PlanChanges;
  book: TruthBook;
  auditFails = false;
  readonly errors: string[] = [];
  readonly alarms = new FakeAlarms(new FakeClock());
  readonly #keeper: PlanKeeper;

  constructor(dir: string, config: Config, fleet?: FleetWorld['fleet']) {
    this.history = new PlanHistory({ dir, keep: () => 1_000, log: SILENT, wallMs: () => 0 });
    this.#keeper = new PlanKeeper({
      history: this.history,
      log: { ...SILENT, error: (message) => void this.errors.push(message) },
      wallMs: () => 0,
      setAlarm: this.alarms.set,
    });
    this.book = new TruthBook(config, new Set(), this.history);
    this.#keeper.keepStated(this.book, 'start');
    const broadcast = async (_name: string, state: PlanState) => {
      // What stands on the disk when workers are told.
      this.told.push(state);
      expect(this.history.last(state.model).record?.revision).toBe(state.revision);
      return { gives: [null], problems: [], reached: { acknowledged: 1, total: 1 } };
    };
    this.changes = new PlanChanges({
      fleet: fleet ?? ({ broadcast } as never),
      audit: {
        write: (record) => {
          if (this.auditFails) throw new Error('no audit');
          this.records.push(record);
        },
        close: () => undefined,
      },
      history: this.history,
      keeper: this.#keeper,
      book: () => this.book,
      plansAsTold: () => [],
      acknowledgeTimeoutMs: () => 2_000,
    });
  }

  reload(config: Config): void {
    this.book = this.book.under(config);
    this.#keeper.keepStated(this.book, 'reload');
  }

  get plan() {
    return this.book.plan('m')!;
  }

  get slots(): Uint8Array {
    return this.plan.slots;
  }

  weigh(weights: Record<string, number>, more: object = {}): Promise<PlanResult> {
    return this.#change({ weights: new Map(Object.entries(weights)), ...more });
  }

  set(more: object): Promise<PlanResult> {
    return this.#change(more);
  }

  switchTo(variant: string, more: object = {}): Promise<PlanResult> {
    return this.changes.switchTo({ ...ORDER, expectedRevision: null, variant, ...more });
  }

  back(toRevision: number | null = null, more: object = {}): Promise<PlanResult> {
    return this.changes.rollBack({ ...ORDER, expectedRevision: null, toRevision, ...more });
  }

  #change(more: object): Promise<PlanResult> {
    const order = { ...ORDER, expectedRevision: this.plan.revision, cause: 'admin', weights: null, pins: null, fallbacks: null };
    return this.changes.change({ ...order, ...more } as never);
  }
}

const ORDER = { model: 'm', dryRun: false, actor: 'ann', reason: 'why' };

let dir: string;
let gateway: Gateway;
beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'sluice-changes-')), 'plans');
  gateway = new Gateway(dir, configOf(MODELS));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(join(dir, '..'), { recursive: true });
});

const restarted = (models: Readonly<Record<string, readonly string[]>> = MODELS): Gateway => new Gateway(dir, configOf(models));

describe('a change of a plan', () => {
  it('stands on record, then in the history, and then workers are told', async () => {
    const pins = [{ tenant: 'a', variant: 'v3' }];
    const done = await gateway.set({ weights: new Map([['v2', 700]]), pins, fallbacks: ['v1', 'v3'] });
    expect(done).toMatchObject({ is: 'applied', workers: { acknowledged: 1, total: 1 }, effect: { movedBp: 200 } });
    expect(gateway.told).toMatchObject([{ model: 'm', revision: 2, weights: [9_300, 700, 0], pins, fallbacks: ['v1', 'v3'] }]);
    expect(gateway.records).toMatchObject([
      {
        action: 'plan.change',
        actor: 'ann',
        model: 'm',
        reason: 'why',
        before: { revision: 1 },
        after: { revision: 2, movedBp: 200 },
      },
    ]);
    const past = await gateway.changes.history('m', 10);
    expect(past).toMatchObject({
      revision: 2,
      problem: '',
      revisions: [
        {
          revision: 2,
          cause: 'admin',
          actor: 'ann',
          reason: 'why',
          weightsBp: { v1: 9_300, v2: 700, v3: 0 },
          pins,
          fallbacks: ['v1', 'v3'],
        },
        { revision: 1, cause: 'config', actor: 'config', reason: 'start', pins: [], fallbacks: ['v1'] },
      ],
    });
    expect(await gateway.changes.revision('m', 1)).toMatchObject({ is: 'found', slots: 'v2:500 v1:9500' });
    expect(await gateway.changes.revision('m', 9)).toEqual({
      is: 'absent',
      problem: 'There is no revision 9 of "m"; kept are 1 to 2.',
    });
    expect([await gateway.changes.history('x', 1), (await gateway.changes.revision('x', 1)).is]).toEqual([null, 'unknown']);
  });

  it('does not happen, and leaves no trace, where it cannot be put on record', async () => {
    gateway.auditFails = true;
    const before = readFileSync(join(dir, 'm.jsonl'));
    for (const result of [await gateway.weigh({ v2: 700 }), await gateway.switchTo('v2'), await gateway.set({ fallbacks: [] })])
      expect(result).toEqual({ is: 'unaudited', problem: 'no audit' });
    expect([gateway.plan.revision, gateway.told, readFileSync(join(dir, 'm.jsonl'))]).toEqual([1, [], before]);
  });

  it('does not happen where the history cannot be written, and the record tells that too', async () => {
    rmSync(dir, { recursive: true });
    writeFileSync(dir, 'in the way');
    expect(await gateway.weigh({ v2: 700 })).toMatchObject({
      is: 'unkept',
      problem: expect.stringMatching(/m\.jsonl: (ENOTDIR|EEXIST)/),
    });
    expect([gateway.plan.revision, gateway.told]).toEqual([1, []]);
    expect(gateway.records.map(({ action, after }) => [action, (after as { revision: number }).revision])).toEqual([
      ['plan.change', 2],
      ['plan.not-applied', 1],
    ]);
    rmSync(dir);
    mkdirSync(dir);
    expect(await gateway.weigh({ v2: 700 })).toMatchObject({ is: 'applied' });
  });

  it('takes effect without the history where it only leads to stable, says so, and is kept as soon as there is room', async () => {
    await gateway.weigh({ v2: 3_000 });
    await gateway.weigh({ v2: 9_000 });
    const aside = join(dir, '..', 'aside');
    renameSync(dir, aside);
    writeFileSync(dir, 'in the way');
    expect(await gateway.weigh({ v2: 3_000 })).toMatchObject({ is: 'applied', unkept: expect.stringMatching(/m\.jsonl: /) });
    const away = await gateway.weigh({ v2: 0 }, { cause: 'rollout' });
    expect(away).toMatchObject({ is: 'applied', unkept: expect.stringMatching(/m\.jsonl: /) });
    expect([gateway.plan.weights, gateway.told.at(-1)!.revision]).toEqual([[10_000, 0, 0], 5]);
    expect(gateway.errors.at(-1)).toBe('plan could not be kept and serves all the same, since it only leads to stable');
    // Everything else waits for the disk.
    expect(await gateway.weigh({ v2: 100 })).toMatchObject({ is: 'unkept' });
    expect(await gateway.set({ pins: [{ tenant: 'a', variant: 'v2' }] })).toMatchObject({ is: 'unkept' });
    gateway.alarms.advance(5_000);
    rmSync(dir);
    renameSync(aside, dir);
    expect(restarted().plan.revision).toBe(3);
    gateway.alarms.advance(5_000);
    expect(restarted().plan).toEqual(gateway.plan);
    expect((await gateway.changes.history('m', 10))!.revisions.map(({ revision, restores }) => [revision, restores])).toEqual([
      [5, 0],
      [4, 0],
      [3, 0],
      [2, 0],
      [1, 0],
    ]);
  });

  it('that is not on the disk yet is known to the next rollback, which never goes to what was fled from', async () => {
    for (const v2 of [1_000, 3_000, 9_000]) await gateway.weigh({ v2 });
    const bytes = readFileSync(join(dir, 'm.jsonl'));
    const full = vi.spyOn(gateway.history, 'append').mockReturnValue('m.jsonl: ENOSPC');
    expect(await gateway.back()).toMatchObject({ is: 'applied', unkept: 'm.jsonl: ENOSPC' });
    expect(await gateway.back()).toMatchObject({ is: 'applied', effect: { after: { revision: 6, weightsBp: { v2: 1_000 } } } });
    expect(readFileSync(join(dir, 'm.jsonl'))).toEqual(bytes);
    full.mockRestore();
    // The next change that can be written takes what was held along.
    expect(await gateway.weigh({ v2: 1_500 })).toMatchObject({ is: 'applied', unkept: '' });
    expect((await restarted().changes.history('m', 3))!.revisions.map(({ revision }) => revision)).toEqual([7, 6, 5]);
  });

  it('goes on behind a history that could not be read when the gateway started', async () => {
    for (const v2 of [1_000, 3_000]) await gateway.weigh({ v2 });
    const aside = join(dir, 'aside');
    renameSync(join(dir, 'm.jsonl'), aside);
    mkdirSync(join(dir, 'm.jsonl'));
    const blind = restarted();
    expect([blind.plan.revision, (await blind.weigh({ v2: 700 })).is]).toEqual([1, 'unkept']);
    expect(await blind.back()).toMatchObject({ is: 'unread', problem: expect.stringContaining('EISDIR') });
    expect(await blind.changes.revision('m', 2)).toMatchObject({ is: 'unread', problem: expect.stringContaining('EISDIR') });
    rmSync(join(dir, 'm.jsonl'), { recursive: true });
    renameSync(aside, join(dir, 'm.jsonl'));
    expect(await blind.weigh({ v2: 700 })).toMatchObject({ is: 'applied', plan: { revision: 4 } });
    expect(restarted().plan).toEqual(blind.plan);
  });

  it('loses against one that was faster, and is refused where it makes no sense', async () => {
    expect(await gateway.weigh({ v2: 700 }, { expectedRevision: 0 })).toEqual({ is: 'conflict', revision: 1 });
    const both = await Promise.all([700, 800].map((v2) => gateway.weigh({ v2 }, { expectedRevision: 1 })));
    expect(both.map(({ is }) => is)).toEqual(['applied', 'conflict']);
    expect(await gateway.weigh({ v9: 1 })).toMatchObject({ is: 'invalid', problems: [expect.stringContaining('"v9"')] });
    expect(await gateway.set({ pins: [{ tenant: 'nobody', variant: 'v9' }] })).toEqual({
      is: 'invalid',
      problems: [
        'pins.0.variant: found "v9"; expected one of "v1", "v2", "v3"',
        'pins.0.tenant: found "nobody"; expected a tenant of the config',
      ],
    });
    expect(await gateway.set({ fallbacks: ['v2', 'v2'] })).toMatchObject({ problems: ['fallbacks.1: found "v2" twice'] });
    expect(await gateway.set({ model: 'x' })).toEqual({ is: 'unknown' });
    expect(await gateway.switchTo('v9')).toMatchObject({ is: 'invalid' });
  });

  it('is only told about in a dry run', async () => {
    const files = readFileSync(join(dir, 'm.jsonl'));
    const planned = await gateway.switchTo('v2', { dryRun: true });
    expect(planned).toMatchObject({
      is: 'planned',
      effect: {
        before: { revision: 1, weightsBp: { v1: 9_500, v2: 500, v3: 0 } },
        after: { revision: 2, weightsBp: { v1: 0, v2: 10_000, v3: 0 } },
        movedBp: 9_500,
        moves: [{ from: 'v1', to: 'v2', bp: 9_500 }],
      },
    });
    expect(await gateway.weigh({ v9: 1 }, { dryRun: true })).toMatchObject({ is: 'invalid' });
    await gateway.weigh({ v2: 700 });
    expect(await gateway.back(null, { dryRun: true })).toMatchObject({
      is: 'planned',
      effect: { after: { revision: 3 }, movedBp: 200 },
    });
    expect([gateway.plan.revision, gateway.records.length, gateway.told.length]).toEqual([2, 1, 1]);
    expect(readFileSync(join(dir, 'm.jsonl')).subarray(0, files.length)).toEqual(files);
  });
});

describe('a rollback', () => {
  it('gives every caller back the variant it had, pins and fallbacks too, over any sequence of changes', async () => {
    const step = fc.oneof(
      fc.record({ v2: fc.integer({ min: 0, max: 5_000 }), v3: fc.integer({ min: 0, max: 5_000 }) }),
      fc.constantFrom('v1', 'v2', 'v3'),
      fc.record({
        pins: fc.constantFrom([], [{ tenant: 'a', variant: 'v2' }]),
        fallbacks: fc.shuffledSubarray(['v1', 'v2', 'v3']),
      }),
      fc.record({ back: fc.integer({ min: 1, max: 3 }) }),
    );
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 8 }), fc.nat(), async (steps, pick) => {
        const own = new Gateway(join(dir, `round-${round++}`), configOf(MODELS));
        const seen = new Map([[1, own.plan]]);
        for (const each of steps) {
          if (typeof each === 'string') await own.switchTo(each);
          else if ('back' in each) await own.back(Math.min(each.back, own.plan.revision));
          else if ('pins' in each) await own.set(each);
          else await own.weigh(each);
          seen.set(own.plan.revision, own.plan);
        }
        expect(seen.size).toBe(steps.length + 1);
        const target = 1 + (pick % seen.size);
        expect(await own.back(target)).toMatchObject({ is: 'applied' });
        const then = seen.get(target)!;
        expect(own.plan).toEqual({ ...then, revision: steps.length + 2 });
        // And another process that reads the same history has the same places for all.
        expect(new Gateway(join(dir, `round-${round - 1}`), configOf(MODELS)).plan).toEqual(own.plan);
      }),
      { seed: 20_260, numRuns: 25 },
    );
  });

  it('goes one back without a revision, and one further when done again, never to what was fled from', async () => {
    for (const v2 of [1_000, 2_000, 3_000]) await gateway.weigh({ v2 });
    expect(await gateway.back()).toMatchObject({ is: 'applied', effect: { after: { revision: 5, weightsBp: { v2: 2_000 } } } });
    expect(await gateway.back()).toMatchObject({ effect: { after: { revision: 6, weightsBp: { v2: 1_000 } } } });
    expect(await gateway.back()).toMatchObject({ effect: { after: { revision: 7, weightsBp: { v2: 500 } } } });
    expect(await gateway.back()).toEqual({ is: 'absent', problem: 'There is no earlier revision of "m"; kept are 1 to 7.' });
    // A change by hand begins anew.
    await gateway.weigh({ v2: 4_000 });
    expect(await gateway.back()).toMatchObject({ effect: { after: { revision: 9, weightsBp: { v2: 500 } } } });
    expect(gateway.records.at(-1)).toMatchObject({ action: 'plan.rollback', after: { restores: 7, cause: 'rollback' } });
    expect((await gateway.changes.history('m', 1))!.revisions).toMatchObject([{ cause: 'rollback', restores: 7 }]);
  });

  it('wins once where two go one back at the same time: the bad plan does not come back', async () => {
    await gateway.weigh({ v2: 1_000 });
    await gateway.weigh({ v2: 9_000 });
    const both = await Promise.all([gateway.back(), gateway.back()]);
    // Whose look at the disk comes back first, wins.
    both.sort((a, b) => (a.is < b.is ? -1 : 1));
    expect(both).toMatchObject([{ is: 'applied' }, { is: 'conflict', revision: 4 }]);
    expect(gateway.plan.weights).toEqual([9_000, 1_000, 0]);
  });

  it('loses against a change that came while the history was read, and against a reload that takes the model away', async () => {
    await gateway.weigh({ v2: 1_000 });
    const late = gateway.back();
    await gateway.weigh({ v2: 2_000 });
    expect(await late).toEqual({ is: 'conflict', revision: 3 });
    const lost = gateway.back();
    gateway.reload(configOf({ other: ['v1'] }));
    expect(await lost).toEqual({ is: 'unknown' });
  });

  it('undoes a switch with every caller at the place it had', async () => {
    await gateway.weigh({ v2: 3_000, v3: 1_000 });
    await gateway.weigh({ v2: 500, v3: 2_000 });
    const before = gateway.slots;
    await gateway.switchTo('v3');
    expect(new Set(gateway.slots)).toEqual(new Set([2]));
    await gateway.back();
    expect(gateway.slots).toEqual(before);
  });

  it('finds variants by their names, wherever the config has them now', async () => {
    await gateway.weigh({ v2: 3_000 });
    const places = [...gateway.slots].map((owner) => gateway.plan.variants[owner]!.name);
    gateway.reload(configOf({ m: ['v1', 'v4:1', 'v2:5'] }));
    expect(await gateway.back(2)).toMatchObject({
      is: 'applied',
      effect: { after: { weightsBp: { v1: 7_000, v4: 0, v2: 3_000 } } },
    });
    expect([...gateway.slots].map((owner) => gateway.plan.variants[owner]!.name)).toEqual(places);
  });

  it('is refused where a variant is gone that it needs, and names it', async () => {
    await gateway.set({ pins: [{ tenant: 'a', variant: 'v3' }] });
    gateway.reload(configOf({ m: ['v1'] }));
    expect(await gateway.back(1)).toMatchObject({
      is: 'invalid',
      problems: [expect.stringContaining('revision 1 needs "v2", which')],
    });
    expect(await gateway.back(2)).toMatchObject({ is: 'invalid', problems: [expect.stringContaining('needs "v2", "v3"')] });
    expect(await gateway.back(9)).toEqual({ is: 'absent', problem: 'There is no revision 9 of "m"; kept are 1 to 3.' });
    expect(await gateway.back(3, { expectedRevision: 2 })).toEqual({ is: 'conflict', revision: 3 });
    expect(gateway.plan.revision).toBe(3);
  });

  it('is answered within a second while a worker hangs, which is ended behind the answer', async () => {
    const world = new FleetWorld();
    await world.start(2);
    const own = new Gateway(join(dir, 'hung'), configOf(MODELS), world.fleet);
    await own.switchTo('v2');
    const hung = world.workers[1]!;
    hung.obey = () => undefined;
    let answer: PlanResult | null = null;
    void own.back().then((result) => (answer = result));
    // The history is read from a real file meanwhile.
    while (hung.orders.filter((order) => order === 'weights').length < 2) await new Promise((done) => setImmediate(done));
    await vi.advanceTimersByTimeAsync(499);
    expect(answer).toBe(null);
    await vi.advanceTimersByTimeAsync(1);
    expect(answer).toMatchObject({ is: 'applied', workers: { acknowledged: 1, total: 2 } });
    expect(hung.killed).toBe(false);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(hung.killed).toBe(true);
  });
});

describe('a start', () => {
  it('has the plan again that was in force, as long as the config says nothing new', async () => {
    await gateway.weigh({ v2: 3_000 });
    await gateway.set({ pins: [{ tenant: 'a', variant: 'v2' }], fallbacks: [] });
    const next = restarted();
    expect(next.plan).toEqual(gateway.plan);
    expect(next.book.truth().plans).toMatchObject([{ model: 'm', revision: 3, fallbacks: [] }]);
    // Nothing new was written: it is the same revision.
    expect((await next.changes.history('m', 10))!.revisions.map(({ revision }) => revision)).toEqual([3, 2, 1]);
  });

  it('takes new words of the config part by part, under a revision that nobody has seen', async () => {
    await gateway.weigh({ v2: 3_000 });
    await gateway.set({ pins: [{ tenant: 'a', variant: 'v2' }] });
    const before = gateway.slots;
    const next = restarted({ m: ['v1', 'v2:10', 'v3:0'] });
    expect([next.plan.revision, next.plan.weights, next.plan.pins.pins]).toEqual([4, [9_000, 1_000, 0], gateway.plan.pins.pins]);
    // Only those leave who have to.
    expect(next.slots.filter((owner, i) => owner !== before[i])).toHaveLength(2_000);
    expect((await next.changes.history('m', 1))!.revisions).toMatchObject([{ revision: 4, cause: 'config' }]);
    expect(restarted({ m: ['v1', 'v2:10', 'v3:0'] }).plan).toEqual(next.plan);
  });

  it('begins anew where the variants are others, and where the history is damaged', async () => {
    await gateway.weigh({ v2: 3_000 });
    expect(restarted({ m: ['v1', 'v9:1'] }).plan).toMatchObject({ revision: 3, weights: [9_900, 100] });
    const file = join(dir, 'm.jsonl');
    const bytes = readFileSync(file);
    bytes[100]! ^= 4;
    writeFileSync(file, bytes);
    const damaged = restarted();
    expect(damaged.plan).toMatchObject({ revision: 4, weights: [9_500, 500, 0] });
    expect(existsSync(join(dir, 'damaged'))).toBe(true);
    expect(await damaged.weigh({ v2: 1 })).toMatchObject({ is: 'applied' });
    expect(restarted().plan).toMatchObject({ revision: 5, weights: [9_999, 1, 0] });
  });

  it('remembers a model that the config had left out for a while', async () => {
    await gateway.weigh({ v2: 3_000 });
    gateway.reload(configOf({ other: ['v1'] }));
    expect(gateway.book.plan('m')).toBe(null);
    gateway.reload(configOf(MODELS));
    expect(gateway.plan).toMatchObject({ revision: 2, weights: [7_000, 3_000, 0] });
  });

  it('goes on with the plan of the config where nothing can be written', () => {
    rmSync(dir, { recursive: true });
    writeFileSync(dir, 'in the way');
    expect(restarted().plan).toMatchObject({ revision: 1, weights: [9_500, 500, 0] });
  });
});
