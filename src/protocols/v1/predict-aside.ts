import type { RequestContext } from '../../core/context.ts';
import { attached } from '../../core/detached.ts';
import type { InferenceRequest, Task } from '../../core/inference.ts';
import type { Offload } from '../../core/offload.ts';
import type { Signature } from '../../core/signature.ts';
import { Phase } from '../../core/verdict.ts';
import type { PredictForm } from './predict-reader.ts';
import { READ_PREDICT } from './read-predict.ts';

/** How long bodies of `:predict` and `:explain` are read, and long answers written. */
export interface PredictAside {
  readonly maxJsonDepth: number;
  readonly offload: Offload;
}

/** A body that a thread has read. */
export interface ReadAside {
  /** Null when it is refused. */
  readonly request: InferenceRequest | null;
  readonly form: PredictForm;
  readonly detail: string;
}

export interface AskedAside {
  readonly signature: Signature;
  readonly task: Task;
}

/** Null when the client has left meanwhile. */
export async function readAside(
  ctx: RequestContext,
  json: Uint8Array,
  { signature, task }: AskedAside,
  { maxJsonDepth, offload }: PredictAside,
): Promise<ReadAside | null> {
  const { model, version } = ctx.match;
  const { value, bytes } = await offload.run(READ_PREDICT, { maxJsonDepth, model, version, signature, task }, [json], ctx);
  if (ctx.phase > Phase.Decode) return null;
  // The inputs came back in bytes of their own.
  ctx.body = [];
  const { request, form, detail } = value;
  return { request: request === null ? null : attached(request, bytes), form, detail };
}
