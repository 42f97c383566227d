import { describe, expect, it } from 'vitest';
import { priceSheetOf } from '../../../src/accounting/price.ts';
import { type PriceConfig, price } from '../../../src/config/model-schema.ts';

describe('priceSheetOf', () => {
  it('takes the prices as the config states them, in whole nano-dollars', () => {
    const config = price.parse({
      version: '2026-01',
      perRequestUsd: 0.0001,
      perRowUsd: 2e-9,
      perComputeMsUsd: 1.5,
      perCacheHitUsd: 0.00001,
    });
    expect(priceSheetOf(config)).toEqual({
      version: '2026-01',
      perRequest: 100_000,
      perRow: 2,
      perInputToken: 0,
      perOutputToken: 0,
      perComputeMs: 1_500_000_000,
      perCacheHit: 10_000,
    });
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses the price %d', (perRowUsd) => {
    const config: PriceConfig = { ...price.parse({ version: 'x' }), perRowUsd };
    expect(() => priceSheetOf(config)).toThrow(
      `price "x": perRowUsd is ${perRowUsd} nano-dollars, expected a whole number from 0`,
    );
  });
});
