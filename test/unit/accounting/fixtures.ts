import { Usage } from '../../../src/core/inference.ts';
import type { PriceSheet, UsageRecord } from '../../../src/core/money.ts';
import { nanoUsd } from '../../../src/core/units.ts';

export type Figures = { [Field in keyof Usage]?: number };

export function usageOf(figures: Figures = {}): Usage {
  return Object.assign(new Usage(), figures);
}

/** A price sheet by its plain numbers; what is not named is free. */
export function priceOf(prices: { [Field in Exclude<keyof PriceSheet, 'version'>]?: number }): PriceSheet {
  const free = { perRequest: 0, perRow: 0, perInputToken: 0, perOutputToken: 0, perComputeMs: 0, perCacheHit: 0 };
  const all = { ...free, ...prices };
  return {
    version: 'test',
    perRequest: nanoUsd(all.perRequest),
    perRow: nanoUsd(all.perRow),
    perInputToken: nanoUsd(all.perInputToken),
    perOutputToken: nanoUsd(all.perOutputToken),
    perComputeMs: nanoUsd(all.perComputeMs),
    perCacheHit: nanoUsd(all.perCacheHit),
  };
}

export function recordOf(fields: Partial<Omit<UsageRecord, 'cost'>> & { cost?: number } = {}): UsageRecord {
  return {
    tenant: 't',
    model: 'm',
    variant: 'v',
    priceVersion: 'test',
    cacheHit: false,
    failed: false,
    usage: usageOf(),
    ...fields,
    cost: (fields.cost ?? 0) as UsageRecord['cost'],
  };
}
