import type { PriceConfig } from '../config/model-schema.ts';
import type { PriceSheet } from '../core/money.ts';
import type { NanoUsd } from '../core/units.ts';

/** The price sheet of a variant, from the whole nano-dollars that reading the config gave. */
export function priceSheetOf(config: PriceConfig): PriceSheet {
  return Object.freeze({
    version: config.version,
    perRequest: priceOf(config, 'perRequestUsd'),
    perRow: priceOf(config, 'perRowUsd'),
    perInputToken: priceOf(config, 'perInputTokenUsd'),
    perOutputToken: priceOf(config, 'perOutputTokenUsd'),
    perComputeMs: priceOf(config, 'perComputeMsUsd'),
    perCacheHit: priceOf(config, 'perCacheHitUsd'),
  });
}

function priceOf(config: PriceConfig, field: Exclude<keyof PriceConfig, 'version'>): NanoUsd {
  const price = config[field];
  // A fraction of a nano-dollar would make every sum inexact from here on.
  if (Number.isSafeInteger(price) && price >= 0) return price as NanoUsd;
  throw new RangeError(`price "${config.version}": ${field} is ${price} nano-dollars, expected a whole number from 0`);
}
