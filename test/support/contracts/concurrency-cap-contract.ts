import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConcurrencyCap } from '../../../src/core/tenant.ts';

/** What every ConcurrencyCap promises to the one process that uses it. */
export function concurrencyCapContract(
  name: string,
  make: (capacity: number) => ConcurrencyCap & { overReleased: number },
): void {
  describe(`${name} as a ConcurrencyCap`, () => {
    it('admits as many as it has places and again after a release', async () => {
      const cap = make(2);
      expect([await cap.take(), await cap.take(), await cap.take()]).toEqual([true, true, false]);
      cap.release();
      expect(await cap.take()).toBe(true);
      expect(cap.inFlight).toBe(2);
      expect(cap.capacity).toBe(2);
    });

    it('admits nobody without places', async () => {
      expect(await make(0).take()).toBe(false);
    });

    it('clamps and counts a release too many, so that it never admits more than its places', async () => {
      const cap = make(1);
      cap.release();
      cap.release();
      expect(cap.overReleased).toBe(2);
      expect([await cap.take(), await cap.take()]).toEqual([true, false]);
    });

    it('admits those that come together up to its places', async () => {
      const cap = make(3);
      const taken = await Promise.all([cap.take(), cap.take(), cap.take(), cap.take(), cap.take()]);
      expect(taken).toEqual([true, true, true, false, false]);
    });

    it('agrees with a plain count over any sequence', async () => {
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 0, max: 5 }), fc.array(fc.boolean()), async (places, takes) => {
          const cap = make(places);
          let held = 0;
          for (const isTake of takes) {
            if (isTake) {
              expect(await cap.take()).toBe(held < places);
              held = Math.min(places, held + 1);
            } else {
              cap.release();
              held = Math.max(0, held - 1);
            }
            expect(cap.inFlight).toBe(held);
          }
        }),
        { seed: 20_260 },
      );
    });
  });
}
