import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LocalConcurrencyCap } from '../../../src/limits/concurrency.ts';

describe('LocalConcurrencyCap', () => {
  it('admits as many as it has places and again after a release', () => {
    const cap = new LocalConcurrencyCap(2);
    expect([cap.take(), cap.take(), cap.take()]).toEqual([true, true, false]);
    cap.release();
    expect(cap.take()).toBe(true);
    expect(cap.inFlight).toBe(2);
  });

  it('admits nobody without places', () => {
    expect(new LocalConcurrencyCap(0).take()).toBe(false);
  });

  it('clamps and counts a release too many, so that it never admits more than its places', () => {
    const cap = new LocalConcurrencyCap(1);
    cap.release();
    cap.release();
    expect(cap.overReleased).toBe(2);
    expect([cap.take(), cap.take()]).toEqual([true, false]);
  });

  it('lets those in flight finish when places are cut', () => {
    const cap = new LocalConcurrencyCap(3);
    cap.take();
    cap.take();
    cap.resize(1);
    expect(cap.take()).toBe(false);
    cap.release();
    expect(cap.take()).toBe(false);
    cap.release();
    expect(cap.take()).toBe(true);
    expect(cap.capacity).toBe(1);
  });

  it('refuses a capacity that is no whole number', () => {
    expect(() => new LocalConcurrencyCap(1.5)).toThrow('capacity 1.5');
    expect(() => new LocalConcurrencyCap(1).resize(-1)).toThrow('capacity -1');
  });

  it('agrees with a plain count over any sequence', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5 }), fc.array(fc.boolean()), (places, takes) => {
        const cap = new LocalConcurrencyCap(places);
        let held = 0;
        for (const isTake of takes) {
          if (isTake) {
            expect(cap.take()).toBe(held < places);
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
