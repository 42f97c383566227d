import type { TrafficPlan, Variant } from '../core/traffic.ts';

/**
 * Who answers in the place of `current`, when `chosen` is what the plan had chosen; null when nobody is left. It follows from these two
 * alone: each fallback comes once, in the plan's order.
 *
 * @hot
 */
export function fallbackAfter({ fallbacks }: TrafficPlan, chosen: Variant, current: Variant): Variant | null {
  for (let i = current === chosen ? 0 : fallbacks.indexOf(current) + 1; i < fallbacks.length; i++) {
    if (fallbacks[i] !== chosen) return fallbacks[i]!;
  }
  return null;
}
