import { describe, expect, it } from 'vitest';
import { comparisonText, disagreementsText } from '../../../src/cli/comparison-text.ts';
import type { ComparisonView, PairComparisonView, ShareView } from '../../../src/core/comparison.ts';

const share = (count: number, of: number): ShareView => ({ count, of, share: of === 0 ? 0 : count / of, low: 0.4, high: 0.6 });
const pair: PairComparisonView = {
  variant: 'v2',
  role: 'canary',
  since: '2026-01-01T00:00:00.000Z',
  agreed: 1,
  disagreed: 1,
  incomparable: 3,
  sampled: 0,
  agreement: share(1, 2),
  copies: { toVariant: share(0, 1), toStable: share(0, 1) },
  dropped: 4,
  outputs: [
    {
      output: 'y',
      pairs: 2,
      argmax: share(1, 2),
      topk: share(0, 0),
      outside: share(1, 4),
      maxDifference: 0.5,
      meanDifference: 0.25,
      drift: { psi: 0.3, jensenShannon: 0.02, stableScores: 2, variantScores: 2 },
    },
  ],
  latencyRatio: { count: 2, mean: 1.5, low: 1.2, high: 1.9 },
  costDifferenceNano: { count: 2, mean: 100, low: 100, high: 100 },
  costNano: { stable: 2_000, variant: 2_200 },
  failures: { stable: share(0, 10), variant: share(1, 10) },
};
const view: ComparisonView = { model: 'm', stable: 'v1', agreeBy: 'argmax', pairs: [pair] };

describe('a comparison as people read it', () => {
  it('has a row for each variant and for each of its outputs, and says what is mostly chance', () => {
    const lines = comparisonText(view).split('\n');
    expect(lines[0]).toBe('m: answers beside v1, agreement by argmax');
    expect(lines[3]).toMatch(/^v2 +canary +2 +3 +4 +50\.00 +40\.00-60\.00 +10\.00 +0\.00 +1\.50 +1\.20-1\.90 +0\.0011 +0\.0010$/);
    expect(lines[7]).toMatch(/^v2 +y +2 +50\.00 +- +25\.00 +0\.250 +0\.500 +~0\.300 +~0\.020$/);
    expect(lines.at(-1)).toContain('mostly chance');
  });

  it('says what to do where nothing was compared', () => {
    expect(comparisonText({ ...view, pairs: [] })).toContain('comparison.mirrorPercent');
    expect(disagreementsText({ model: 'm', seen: 0, disagreements: [] })).toBe('m: no answers disagreed.');
  });
});
