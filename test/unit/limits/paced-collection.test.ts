import { describe, expect, it } from 'vitest';
import { PacedCollection } from '../../../src/limits/paced-collection.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const STEP_MS = 250;

/** Milliseconds at which it collected, asked four times a second, where each collection takes `tookMs`. */
function collectedAt(tookMs: number, untilMs: number): number[] {
  const clock = new FakeClock();
  const times: number[] = [];
  const collection = new PacedCollection(() => {
    times.push(clock.nowMs());
    clock.advance(tookMs);
  }, clock);
  for (; clock.nowMs() < untilMs; clock.advance(STEP_MS)) collection.run();
  return times;
}

describe('PacedCollection', () => {
  it('collects at once, and then once a second', () => {
    expect(collectedAt(0, 3_000)).toEqual([0, 1_000, 2_000]);
  });

  it('takes no more than a twentieth of the time, however long a collection is', () => {
    const times = collectedAt(500, 60_000);
    expect(times.length).toBeGreaterThan(4);
    expect((times.length - 1) * 500).toBeLessThanOrEqual(60_000 / 20);
  });
});
