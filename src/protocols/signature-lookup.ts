import type { RequestContext } from '../core/context.ts';
import { Fault } from '../core/faults.ts';
import type { Signature } from '../core/signature.ts';
import { visibleRoute } from '../core/visibility.ts';
import { quoted } from '../wire/json/message-text.ts';

/** Milliseconds a caller is told to wait for a model that is still warming. */
const WARMING_WAIT_MS = 1_000;

/**
 * The signature of the model that the path names, for protocols in JSON alone whose bodies cannot be read without it; null after the
 * refusal. What a caller may not use is refused here as it is later on, so that the two cannot be told apart.
 */
export function knownSignature(ctx: RequestContext): Signature | null {
  const route = visibleRoute(ctx.snapshot, ctx.principal!, ctx.match.model);
  if (route === null) {
    ctx.refuse(Fault.NotFound);
    return null;
  }
  if (route.contract === null) {
    ctx.retryAfterMs = WARMING_WAIT_MS;
    ctx.refuse(Fault.NoVariant, 'It is still warming.');
    return null;
  }
  return route.contract.signature;
}

/** The same for those who are answered with its outputs: what JSON could not say is refused before anybody has worked on it. */
export function askedSignature(ctx: RequestContext): Signature | null {
  const signature = knownSignature(ctx);
  if (signature === null) return null;
  for (let i = 0; i < signature.outputs.length; i++) {
    const { name, datatype } = signature.outputs[i]!;
    if (datatype !== 'FP16' && datatype !== 'BF16') continue;
    ctx.refuse(
      Fault.NotSupported,
      `output ${quoted(name)}: ${datatype} data has no JSON form: ask with binary data over v2, or gRPC`,
    );
    return null;
  }
  return signature;
}
