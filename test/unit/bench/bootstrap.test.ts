import { describe, expect, it } from 'vitest';
import { randomNumbers } from '../../../bench/load/arrivals.ts';
import { bootstrapRatio } from '../../../bench/load/bootstrap.ts';

describe('bootstrapRatio', () => {
  it('is the geometric mean, and sure of rounds that are alike', () => {
    expect(bootstrapRatio([2, 2, 2], randomNumbers(1))).toEqual({ ratio: 2, low: 2, high: 2 });
    expect(bootstrapRatio([0.5, 2], randomNumbers(1)).ratio).toBeCloseTo(1, 9);
  });

  it('holds the true ratio about as often as it says', () => {
    const random = randomNumbers(7);
    let held = 0;
    const trials = 60;
    for (let t = 0; t < trials; t++) {
      // Log-uniform around 1.1; its geometric mean is that.
      const ratios = Array.from({ length: 20 }, () => 1.1 * Math.exp(random() - 0.5));
      const { low, high } = bootstrapRatio(ratios, random);
      if (low <= 1.1 && high >= 1.1) held++;
    }
    // The percentile bootstrap of twenty rounds holds some 93 %; three deviations below that.
    expect(held / trials).toBeGreaterThan(0.83);
  });
});
