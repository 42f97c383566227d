import { describe, expect, it } from 'vitest';
import { asNormal, BROKE, degreesOf, normalMixture, shared } from '../../../../src/router/rollout/mixture.ts';

describe('the normal mixture', () => {
  it.each([0.1, 1, 10, 1_000])(
    'is a fair bet at information %d: its mean capital on the bound is no more than the stake',
    (information) => {
      const step = 0.001;
      let mean = 0;
      for (let z = step / 2; z < 12; z += step) {
        mean += Math.exp(normalMixture({ zSquared: z * z, information }, 0.3) - (z * z) / 2) * step;
      }
      mean /= Math.sqrt(2 * Math.PI);
      expect(mean).toBeLessThanOrEqual(1.0001);
      expect(mean).toBeGreaterThan(0.49);
    },
  );

  it('gains with the distance, and is broke on the near side', () => {
    const at = (zSquared: number): number => normalMixture({ zSquared, information: 50 }, 0.2);
    expect(at(0)).toBe(BROKE);
    expect(at(4)).toBeLessThan(at(9));
    expect(at(1e8)).toBeGreaterThan(1e6);
    expect(normalMixture({ zSquared: Number.NaN, information: 1 }, 1)).toBe(BROKE);
  });

  it('shares a stake as the mean of two capitals', () => {
    expect(Math.exp(shared(Math.log(3), Math.log(5)))).toBeCloseTo(4);
    expect(shared(BROKE, Math.log(5))).toBeCloseTo(Math.log(2.5));
    expect(Number.isFinite(shared(BROKE, BROKE))).toBe(true);
  });
});

describe('a deviate of few degrees of freedom', () => {
  // Upper 2.5 % and 0.1 % points of Student's t, which are 1.960 and 3.090 of the normal distribution.
  it.each([
    [2, 4.303, 22.327],
    [5, 2.571, 5.893],
    [10, 2.228, 4.144],
    [30, 2.042, 3.385],
    [120, 1.98, 3.16],
  ])('with %d degrees is taken for a normal one that is as rare, or less so', (degrees, t, farT) => {
    expect(Math.sqrt(asNormal(t * t, degrees))).toBeCloseTo(1.96, 1);
    const far = Math.sqrt(asNormal(farT * farT, degrees));
    expect(far).toBeLessThan(3.1);
    expect(far).toBeGreaterThan(2.95);
  });

  it('says nothing without a degree of freedom', () => {
    expect(asNormal(1e9, 0)).toBe(0);
    expect(degreesOf(1, 1, 1, 500)).toBe(0);
  });

  it('has the degrees of the arm that is uncertain', () => {
    expect(degreesOf(0, 400, 1, 6)).toBeCloseTo(5);
    expect(degreesOf(1, 11, 1, 11)).toBeCloseTo(20);
    expect(degreesOf(Number.POSITIVE_INFINITY, 3, 1, 9)).toBe(2);
  });
});
