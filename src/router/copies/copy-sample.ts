import type { BasisPoints } from '../../core/units.ts';
import { WHOLE_BP } from '../../core/units.ts';
import { affinityOf, mixed } from '../affinity.ts';

/**
 * Whether a request is among those that are copied. By caller and request, so that one busy caller is sampled too, and by `salt`: two
 * variants see different requests, and neither follows the split between stable and canary.
 */
export function isSampled(sample: BasisPoints, salt: string, affinity: number, requestId: string): boolean {
  if (sample >= WHOLE_BP) return true;
  if (sample <= 0) return false;
  const hash = mixed(mixed(affinity ^ affinityOf(salt)) ^ affinityOf(requestId));
  return hash % WHOLE_BP < sample;
}
