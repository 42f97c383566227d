import type { InferenceRequest } from '../core/inference.ts';

/**
 * A request that names every output where its caller named none. The protocol means the same by both, but servers may answer the second
 * with the outputs that they think best: scikit-learn behind MLServer leaves out the probabilities. The rest either returns what is named,
 * as Triton does, or never looks at the names, as KServe's own server. @hot
 */
export function withNamedOutputs(request: InferenceRequest, outputs: readonly string[]): InferenceRequest {
  if (request.wanted.length > 0 || outputs.length === 0) return request;
  const { task, model, version, id, params, inputs, timeoutUs, sequenceId } = request;
  return { task, model, version, id, params, inputs, wanted: outputs, timeoutUs, sequenceId };
}
