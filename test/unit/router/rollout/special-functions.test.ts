import { describe, expect, it } from 'vitest';
import { logBeta, logGamma, logLikelihood, logNormalCdf } from '../../../../src/router/rollout/special-functions.ts';

describe('the special functions', () => {
  it('give factorials and the half', () => {
    let factorial = 1;
    for (let n = 1; n <= 30; n++) {
      expect(logGamma(n)).toBeCloseTo(Math.log(factorial), 10);
      factorial *= n;
    }
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 10);
    expect(logGamma(1e6)).toBeCloseTo(12_815_504.5691, 3);
  });

  it('give the beta function of whole numbers', () => {
    expect(logBeta(3, 4)).toBeCloseTo(Math.log((2 * 6) / 720), 10);
  });

  it.each([
    [0, 0.5],
    [1, 0.8413447461],
    [1.96, 0.9750021049],
    [3, 0.998650102],
    [10, 1],
  ])('give the normal distribution at %d', (x, share) => {
    expect(Math.exp(logNormalCdf(x))).toBeCloseTo(share, 6);
  });

  it('take nothing of nothing for certain', () => {
    expect(logLikelihood(0, 5, 0)).toBeCloseTo(0);
    expect(logLikelihood(5, 5, 1)).toBe(0);
  });
});
