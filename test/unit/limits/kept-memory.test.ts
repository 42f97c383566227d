import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeptMemory } from '../../../src/limits/kept-memory.ts';

/** What was found after each reading of buffers and of what is resident, in MB. */
function found(...readings: readonly (readonly [buffers: number, resident: number])[]): number[] {
  const kept = new KeptMemory();
  return readings.map(([buffers, resident]) => kept.read(buffers, resident));
}

describe('KeptMemory', () => {
  it('finds what stays resident when buffers are freed, until it is used again or given back', () => {
    expect(found([5, 105], [305, 405], [5, 405], [105, 405], [305, 405], [5, 405], [5, 205], [5, 105])).toEqual([
      0, 0, 300, 200, 0, 300, 100, 0,
    ]);
  });

  it('finds nothing where other things have grown, but for as much as buffers have shrunk by', () => {
    expect(found([5, 105], [5, 505], [25, 525], [5, 905])).toEqual([0, 0, 0, 20]);
  });

  it('finds nothing in buffers that are not resident yet', () => {
    expect(found([5, 105], [305, 105], [305, 405], [5, 105])).toEqual([0, 0, 0, 0]);
  });

  it('never finds more than an allocator keeps', () => {
    const step = fc.record({ to: fc.integer({ min: 0, max: 1_000 }), givesBack: fc.double({ min: 0, max: 1, noNaN: true }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 0, max: 500 }), (steps, besides) => {
        const kept = new KeptMemory();
        let buffers = 0;
        let free = 0;
        for (const { to, givesBack } of steps) {
          free = to > buffers ? Math.max(0, free - (to - buffers)) : free + Math.trunc((buffers - to) * (1 - givesBack));
          buffers = to;
          const answer = kept.read(buffers, buffers + free + besides);
          expect(answer).toBeGreaterThanOrEqual(0);
          expect(answer).toBeLessThanOrEqual(free);
        }
      }),
      { seed: 20_261 },
    );
  });
});
