import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeadlineHeap, type Timed } from '../../../src/core/deadline-heap.ts';
import { Deadlines } from '../../../src/core/deadlines.ts';
import { FakeAlarms } from '../../support/fake-alarms.ts';
import { FakeClock } from '../../support/fake-clock.ts';

describe('DeadlineHeap', () => {
  it('has the earliest first, whatever is added and removed', () => {
    const step = fc.oneof(
      fc.record({ is: fc.constant('add'), at: fc.nat(50) }),
      fc.record({ is: fc.constant('remove'), at: fc.nat(50) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const heap = new DeadlineHeap();
        const model: { deadlineMs: number; heapAt: number }[] = [];
        for (const { is, at } of steps) {
          if (is === 'add') {
            const item = { deadlineMs: at, heapAt: -1 };
            model.push(item);
            heap.add(item);
          } else if (model.length > 0) {
            const [item] = model.splice(at % model.length, 1);
            heap.remove(item!);
            heap.remove(item!);
          }
          expect(heap.size).toBe(model.length);
          expect(heap.first?.deadlineMs ?? null).toBe(
            model.length === 0 ? null : Math.min(...model.map((one) => one.deadlineMs)),
          );
        }
      }),
      { seed: 4 },
    );
  });
});

describe('Deadlines', () => {
  it('expires each when it is due, with one alarm', () => {
    const clock = new FakeClock();
    const alarms = new FakeAlarms(clock);
    const expired: number[] = [];
    const timing = { clock, setAlarm: alarms.set, random: () => 0 };
    const deadlines = new Deadlines<Timed>(timing, ({ deadlineMs }) => expired.push(deadlineMs));
    const add = (deadlineMs: number): Timed => {
      const call: Timed = { deadlineMs, heapAt: -1 };
      deadlines.add(call, clock.nowMs());
      return call;
    };
    add(300);
    add(100);
    const gone = add(50);
    add(100);
    expect(alarms.size).toBe(1);
    deadlines.remove(gone);
    alarms.advance(50);
    expect(expired).toEqual([]);
    alarms.advance(50);
    expect(expired).toEqual([100, 100]);
    alarms.advance(200);
    expect([expired, deadlines.size, alarms.size]).toEqual([[100, 100, 300], 0, 0]);
  });
});
