import type { RequestContext } from '../core/context.ts';
import { Fault, GatewayError } from '../core/faults.ts';

/** Notes why an answer that was right could not be written. What is no refusal is a mistake, and goes on as one. */
export function noteLateFault(ctx: RequestContext, error: unknown): void {
  if (!(error instanceof GatewayError)) throw error;
  // Whoever left has been noted already.
  if (error.kind !== Fault.ClientGone) ctx.refuse(error.kind, error.detail);
}
