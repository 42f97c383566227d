import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CallQueue, QueueEntry } from '../../../../src/backends/onnx/call-queue.ts';

/** The same, as slow and plain as can be: one array. */
class NaiveQueue {
  entries: QueueEntry[] = [];
  readonly capacityRows: number;

  constructor(capacityRows: number) {
    this.capacityRows = capacityRows;
  }

  get rows(): number {
    return this.entries.reduce((sum, entry) => sum + entry.rows, 0);
  }

  push(entry: QueueEntry): boolean {
    if (this.rows + entry.rows > this.capacityRows) return false;
    this.entries.push(entry);
    return true;
  }

  remove(entry: QueueEntry): void {
    this.entries = this.entries.filter((other) => other !== entry);
  }

  take(maxRows: number): QueueEntry[] {
    const oldest = this.entries[0];
    if (oldest === undefined) return [];
    const taken = [oldest];
    let rows = oldest.rows;
    for (const entry of this.entries.slice(1)) {
      if (oldest.key === null || entry.key !== oldest.key) continue;
      if (rows + entry.rows > maxRows) break;
      rows += entry.rows;
      taken.push(entry);
    }
    this.entries = this.entries.filter((entry) => !taken.includes(entry));
    return taken;
  }

  takeExpired(nowMs: number): QueueEntry[] {
    const expired = this.entries.filter((entry) => entry.deadlineMs <= nowMs);
    this.entries = this.entries.filter((entry) => entry.deadlineMs > nowMs);
    return expired;
  }

  oldestGroupRows(): number {
    const oldest = this.entries[0];
    if (oldest === undefined || oldest.key === null) return oldest?.rows ?? 0;
    return this.entries.filter((entry) => entry.key === oldest.key).reduce((sum, entry) => sum + entry.rows, 0);
  }
}

const action = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('push' as const),
      key: fc.constantFrom('a', 'b', 'c', null),
      rows: fc.integer({ min: 0, max: 6 }),
      deadlineMs: fc.integer({ min: 0, max: 20 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('take' as const), maxRows: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('expire' as const), nowMs: fc.integer({ min: 0, max: 20 }) }) },
);

describe('CallQueue', () => {
  it('does what a plain array would', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
        const queue = new CallQueue<QueueEntry>(24);
        const naive = new NaiveQueue(24);
        const seen: QueueEntry[] = [];
        for (const act of actions) {
          if (act.do === 'push') {
            const entry = new QueueEntry(act.key, act.rows, act.deadlineMs);
            seen.push(entry);
            expect(queue.push(entry)).toBe(naive.push(entry));
          } else if (act.do === 'remove') {
            const entry = seen[act.pick % Math.max(1, seen.length)];
            if (entry !== undefined) {
              queue.remove(entry);
              naive.remove(entry);
            }
          } else {
            const taken: QueueEntry[] = [];
            if (act.do === 'take') queue.take(act.maxRows, taken);
            else queue.takeExpired(act.nowMs, taken);
            const expected = act.do === 'take' ? naive.take(act.maxRows) : naive.takeExpired(act.nowMs);
            expect(taken.map((entry) => seen.indexOf(entry))).toEqual(expected.map((entry) => seen.indexOf(entry)));
          }
          expect([queue.rows, queue.size, queue.oldestGroupRows()]).toEqual([
            naive.rows,
            naive.entries.length,
            naive.oldestGroupRows(),
          ]);
          expect(queue.oldest).toBe(naive.entries[0] ?? null);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('counts a call without rows as one row, so that they are bounded too', () => {
    const queue = new CallQueue<QueueEntry>(2);
    expect([0, 0, 0].map((rows) => queue.push(new QueueEntry('a', rows, 1)))).toEqual([true, true, false]);
  });
});
