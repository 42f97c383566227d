import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Millis } from '../../../src/core/units.ts';
import { FairQueue } from '../../../src/limits/fair-queue.ts';
import type { Queued, QueueEntry } from '../../../src/limits/queue-entry.ts';
import { FakeAlarms } from '../../support/fake-alarms.ts';
import { FakeClock } from '../../support/fake-clock.ts';

class Waiting implements Queued {
  readonly name: string;
  readonly tenant: string;
  fate = '';

  constructor(name: string, tenant: string) {
    this.name = name;
    this.tenant = tenant;
  }

  refused(reason: string): void {
    expect(this.fate).toBe('');
    this.fate = reason;
  }
}

interface Asked {
  readonly tenant?: string;
  readonly priority?: number;
  readonly cost?: number;
  readonly withinMs?: number;
}

/** No window of so many turns ever ends: nothing is known of the pace, and nobody refused for it. */
const NO_PACE = 1e9;

class World {
  readonly clock = new FakeClock(1_000);
  readonly alarms = new FakeAlarms(this.clock);
  readonly queue: FairQueue;
  readonly all: Waiting[] = [];
  inFlight = NO_PACE;

  constructor(maxEntries = 100, maxAgeMs = 1_000) {
    this.queue = new FairQueue({ clock: this.clock, setAlarm: this.alarms.set, maxEntries, maxAgeMs });
  }

  push({ tenant = 'a', priority = 3, cost = 1, withinMs = 60_000 }: Asked = {}): { entry: QueueEntry | null; waiting: Waiting } {
    const waiting = new Waiting(`${tenant}${this.all.length}`, tenant);
    const deadlineMs = (this.clock.nowMs() + withinMs) as Millis;
    const entry = this.queue.push(waiting, { tenant, priority, cost, deadlineMs }, this.inFlight);
    this.all.push(waiting);
    return { entry, waiting };
  }

  take(): Waiting | null {
    return this.queue.take() as Waiting | null;
  }

  /** Tenants of the next turns. */
  turns(count: number): string {
    return Array.from({ length: count }, () => this.take()?.tenant ?? '-').join('');
  }
}

describe('FairQueue', () => {
  it('hands out the entries of one tenant in the order they came', () => {
    const world = new World();
    for (let i = 0; i < 3; i++) world.push();
    expect([world.take()?.name, world.take()?.name, world.take()?.name, world.take()]).toEqual(['a0', 'a1', 'a2', null]);
  });

  it('lets tenants take turns, however many entries each has', () => {
    const world = new World();
    for (let i = 0; i < 6; i++) world.push({ tenant: 'a' });
    world.push({ tenant: 'b' });
    world.push({ tenant: 'c' });
    world.push({ tenant: 'b' });
    expect(world.turns(9)).toBe('abcabaaaa');
  });

  it('lets a tenant whose turns cost more have fewer of them', () => {
    const world = new World();
    for (let i = 0; i < 40; i++) {
      world.push({ tenant: 'a', cost: 4 });
      world.push({ tenant: 'b', cost: 1 });
    }
    const turns = world.turns(25);
    expect(turns.split('a').length - 1).toBe(5);
  });

  it('serves more urgent classes first, but for one turn in ten', () => {
    const world = new World(300);
    for (let i = 0; i < 100; i++) {
      world.push({ tenant: 'l', priority: 0 });
      world.push({ tenant: 'u', priority: 7 });
      world.push({ tenant: 'm', priority: 4 });
    }
    const turns = world.turns(100);
    expect(turns.startsWith('uuuuuuuuu')).toBe(true);
    for (const tenant of ['l', 'm']) {
      expect(turns.split(tenant).length - 1).toBeGreaterThanOrEqual(9);
      expect(turns.split(tenant).length - 1).toBeLessThanOrEqual(10);
    }
  });

  it('refuses at once when it is full, and lets a more urgent entry displace the newest of the least urgent', () => {
    const world = new World(3);
    const low = [world.push({ priority: 1 }), world.push({ priority: 1 }), world.push({ priority: 1 })];
    expect(world.push({ priority: 1 }).entry).toBeNull();
    expect(world.push({ priority: 6, tenant: 'u' }).entry).not.toBeNull();
    expect(low.map(({ waiting }) => waiting.fate)).toEqual(['', '', 'displaced']);
    expect([world.queue.length, world.turns(4)]).toEqual([3, 'uaa-']);
  });

  it('makes room for a tenant when another fills the queue', () => {
    const world = new World(10);
    for (let i = 0; i < 10; i++) world.push({ tenant: 'flood' });
    for (let i = 0; i < 5; i++) expect(world.push({ tenant: 'b' }).entry).not.toBeNull();
    expect(world.push({ tenant: 'b' }).entry).toBeNull();
    expect(world.push({ tenant: 'flood' }).entry).toBeNull();
  });

  it('refuses what has waited too long, by its alarm alone', () => {
    const world = new World(10, 500);
    const first = world.push();
    world.alarms.advance(300);
    const second = world.push();
    world.alarms.advance(200);
    expect([first.waiting.fate, second.waiting.fate]).toEqual(['expired', '']);
    world.alarms.advance(300);
    expect([second.waiting.fate, world.queue.length, world.alarms.size]).toEqual(['expired', 0, 0]);
  });

  it('hands out nothing whose deadline has passed, and takes nothing in after it', () => {
    const world = new World();
    const late = world.push({ withinMs: 50 });
    const good = world.push();
    world.clock.advance(50);
    expect(world.take()).toBe(good.waiting);
    expect(late.waiting.fate).toBe('expired');
    expect(world.push({ withinMs: 0 }).entry).toBeNull();
  });

  it('refuses at once who would wait in vain, by how fast turns come, and whoever has fewer before them waits', () => {
    const world = new World(1_000, 1_000);
    world.inFlight = 4;
    for (let i = 0; i < 140; i++) world.push({ tenant: 'flood' });
    for (let i = 0; i < 40; i++) {
      world.clock.advance(10);
      expect(world.take()).not.toBeNull();
    }
    // A hundred before it, ten milliseconds each.
    expect(world.push({ tenant: 'flood' }).entry).toBeNull();
    expect(world.push({ tenant: 'b' }).entry).not.toBeNull();
    expect(world.push({ tenant: 'c', withinMs: 50 }).entry).toBeNull();
    expect(world.push({ tenant: 'c', withinMs: 80 }).entry).not.toBeNull();
    expect(world.push({ tenant: 'flood', priority: 7 }).entry).not.toBeNull();
    expect(world.push({ tenant: 'c', withinMs: 80, priority: 0 }).entry).toBeNull();
  });

  it('keeps a line short that never gets empty, and lets more urgent ones and other tenants in for the newest of a flood', () => {
    const world = new World(1_000, 1_000);
    world.inFlight = 4;
    let refused = 0;
    for (let ms = 0; ms < 5_000; ms += 5) {
      world.clock.advance(5);
      if (world.push({ tenant: 'flood' }).entry === null) refused++;
      if (ms % 10 === 0) world.take();
    }
    expect(refused).toBeGreaterThan(350);
    expect(world.queue.length).toBeLessThanOrEqual(4);
    while (world.queue.length < 4) world.push({ tenant: 'flood' });
    expect(world.push({ tenant: 'flood' }).entry).toBeNull();
    expect(world.push({ tenant: 'b' }).entry).not.toBeNull();
    expect(world.push({ tenant: 'b', priority: 7 }).entry).not.toBeNull();
    expect(world.queue.length).toBe(4);
  });

  it('forgets an entry that is cancelled, however often and whenever', () => {
    const world = new World();
    const entries = [world.push(), world.push(), world.push()];
    entries[1]!.entry!.cancel();
    entries[1]!.entry!.cancel();
    expect(world.take()?.name).toBe('a0');
    entries[0]!.entry!.cancel();
    expect([world.queue.length, world.take()?.name, world.take()]).toEqual([1, 'a2', null]);
    expect(entries.map(({ waiting }) => waiting.fate)).toEqual(['', '', '']);
  });

  it('refuses everybody once when it is cleared, even when they come again', () => {
    const world = new World();
    const again = { refused: () => void world.push({ tenant: 'again' }) };
    const wish = { tenant: 'a', priority: 3, cost: 1, deadlineMs: 9_999 as Millis };
    for (let i = 0; i < 3; i++) world.queue.push(again, wish, NO_PACE);
    world.queue.clear();
    expect([world.queue.length, world.turns(4)]).toEqual([3, 'againagainagain-']);
  });
});

describe('any use of a FairQueue', () => {
  const step = fc.record({
    is: fc.constantFrom('push', 'push', 'push', 'take', 'cancel', 'wait'),
    tenant: fc.constantFrom('a', 'b', 'c'),
    priority: fc.integer({ min: -1, max: 9 }),
    cost: fc.integer({ min: 0, max: 10 }),
    n: fc.integer({ min: 0, max: 60 }),
  });
  const steps = fc.array(step, { maxLength: 150, size: 'max' });

  it('agrees with a naive queue made of lists', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const world = new World(1_000, 400);
        const naive = new NaiveQueue();
        const entries: { entry: QueueEntry | null; waiting: Waiting }[] = [];
        for (const one of script) {
          if (one.is === 'push') {
            const pushed = world.push({ ...one, withinMs: 10 + one.n * 10 });
            entries.push(pushed);
            naive.push(pushed.waiting, one, world.clock.nowMs(), 10 + one.n * 10);
          } else if (one.is === 'take') expect(world.take()?.name).toBe(naive.take(world.clock.nowMs())?.name);
          else if (one.is === 'cancel') {
            entries[one.n]?.entry?.cancel();
            if (entries[one.n] !== undefined) naive.drop(entries[one.n]!.waiting);
          } else world.clock.advance(one.n);
        }
      }),
      { seed: 20_260, numRuns: 300 },
    );
  });

  it('serves nobody after more others than it counted, when nobody comes after', () => {
    const lines = fc.array(fc.record({ tenant: fc.constantFrom('a', 'b', 'c', 'd'), priority: fc.integer({ min: 0, max: 7 }) }), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(lines, fc.nat(10), fc.integer({ min: 0, max: 7 }), (entries, turns, priority) => {
        const world = new World();
        for (const entry of entries) world.push(entry);
        for (let i = 0; i < turns; i++) world.take();
        const ahead = world.queue.aheadOf({ tenant: 'b', priority, cost: 1, deadlineMs: 9_999 as Millis });
        const last = world.push({ tenant: 'b', priority }).waiting;
        let before = 0;
        while (world.take() !== last) before++;
        expect(before).toBeLessThanOrEqual(ahead);
      }),
      { seed: 20_260, numRuns: 300 },
    );
  });

  it('never holds more than its bound, and gives everybody one fate', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), steps, (bound, script) => {
        const world = new World(bound, 200);
        world.inFlight = 2;
        const [taken, gone, refused] = [new Set<Waiting>(), new Set<Waiting>(), new Set<Waiting>()];
        const entries: { entry: QueueEntry | null; waiting: Waiting }[] = [];
        for (const one of script) {
          if (one.is === 'push') {
            const pushed = world.push({ ...one, withinMs: 10 + one.n * 10 });
            if (pushed.entry === null) refused.add(pushed.waiting);
            entries.push(pushed);
          } else if (one.is === 'take') {
            const next = world.take();
            if (next !== null) taken.add(next);
          } else if (one.is === 'cancel') {
            const { entry, waiting } = entries[one.n] ?? { entry: null, waiting: null };
            if (entry === null || entry.lane === null) continue;
            entry.cancel();
            gone.add(waiting!);
          } else world.alarms.advance(one.n);
          expect(world.queue.length).toBeLessThanOrEqual(bound);
        }
        world.alarms.advance(200);
        expect(world.queue.length).toBe(0);
        for (const waiting of world.all) {
          const fates = [taken.has(waiting), gone.has(waiting), refused.has(waiting), waiting.fate !== ''];
          expect(fates.filter((fate) => fate)).toHaveLength(1);
        }
      }),
      { seed: 20_260, numRuns: 300 },
    );
  });
});

interface NaiveEntry {
  readonly waiting: Waiting;
  readonly cost: number;
  readonly sinceMs: number;
  readonly deadlineMs: number;
}

/** The rules of the queue, said with lists and without a bound. */
class NaiveQueue {
  /** By class: lanes in the order of their turns. */
  readonly #classes: { tenant: string; deficit: number; entries: NaiveEntry[] }[][] = [[], [], []];
  readonly #passedOver = [0, 0, 0];

  push(waiting: Waiting, one: { tenant: string; priority: number; cost: number }, nowMs: number, withinMs: number): void {
    this.#expire(nowMs);
    const lanes = this.#classes[one.priority < 2 ? 0 : one.priority < 6 ? 1 : 2]!;
    let lane = lanes.find((each) => each.tenant === one.tenant);
    if (lane === undefined) {
      lane = { tenant: one.tenant, deficit: 0, entries: [] };
      lanes.push(lane);
    }
    lane.entries.push({ waiting, cost: Math.max(1, Math.min(8, one.cost)), sinceMs: nowMs, deadlineMs: nowMs + withinMs });
  }

  take(nowMs: number): Waiting | null {
    this.#expire(nowMs);
    for (;;) {
      const full = [2, 1, 0].filter((c) => this.#classes[c]!.length > 0);
      for (const c of [0, 1, 2]) if (!full.includes(c)) this.#passedOver[c] = 0;
      if (full.length === 0) return null;
      const due = full.filter((c) => c !== full[0] && this.#passedOver[c]! >= 9);
      const chosen = due.at(-1) ?? full[0]!;
      for (const c of full) if (c < chosen) this.#passedOver[c]!++;
      this.#passedOver[chosen] = 0;
      const entry = this.#takeFrom(this.#classes[chosen]!);
      if (nowMs < entry.deadlineMs) return entry.waiting;
    }
  }

  drop(waiting: Waiting): void {
    this.#keep((entry) => entry.waiting !== waiting);
  }

  #takeFrom(lanes: { deficit: number; entries: NaiveEntry[] }[]): NaiveEntry {
    for (;;) {
      const lane = lanes[0]!;
      const entry = lane.entries[0]!;
      if (lane.deficit < entry.cost) lane.deficit++;
      const fits = lane.deficit >= entry.cost;
      if (fits) {
        lane.deficit -= entry.cost;
        lane.entries.shift();
      }
      lanes.shift();
      if (lane.entries.length > 0) lanes.push(lane as (typeof lanes)[number]);
      if (fits) return entry;
    }
  }

  #expire(nowMs: number): void {
    this.#keep((entry) => nowMs - entry.sinceMs < 400);
  }

  #keep(good: (entry: NaiveEntry) => boolean): void {
    for (const lanes of this.#classes) {
      for (const lane of [...lanes]) {
        lane.entries = lane.entries.filter(good);
        if (lane.entries.length === 0) lanes.splice(lanes.indexOf(lane), 1);
      }
    }
  }
}
