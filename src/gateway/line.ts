import type { Pending } from '../core/backend.ts';
import type { Placed } from '../core/context.ts';
import type { Turn } from '../core/gate.ts';
import type { Variant } from '../core/traffic.ts';
import { priorityOf } from './priority.ts';

/** Has a request stand in line before a variant that is full. Null where there is no room. */
export function standInLine(ctx: Placed, variant: Variant, turn: Turn): Pending | null {
  const { principal, usage, deadlineMs } = ctx;
  const wish = { tenant: principal.tenant.id, priority: priorityOf(ctx), cost: usage.rows, deadlineMs };
  return variant.gate.queue(turn, wish);
}
