import type { Usage } from '../core/inference.ts';
import type { PriceSheet } from '../core/money.ts';
import type { NanoUsd } from '../core/units.ts';
import { figureOf } from './figure.ts';

const US_PER_MS = 1000;

/**
 * What one request costs: whole nano-dollars, rounded up once, and never more than a number can hold exactly. A figure of the usage
 * that is negative or no number costs nothing here; the usage book counts it.
 *
 * @hot
 */
export function costOf(price: PriceSheet, usage: Usage, cacheHit: boolean): NanoUsd {
  if (cacheHit) return price.perCacheHit;
  // The only part with a fraction, rounded before it is added: next to a large sum the fraction would be lost.
  const compute = Math.ceil((figureOf(usage.computeUs) * price.perComputeMs) / US_PER_MS);
  const cost =
    price.perRequest +
    figureOf(usage.rows) * price.perRow +
    figureOf(usage.inputTokens) * price.perInputToken +
    figureOf(usage.outputTokens) * price.perOutputToken +
    compute;
  return (cost < Number.MAX_SAFE_INTEGER ? cost : Number.MAX_SAFE_INTEGER) as NanoUsd;
}
