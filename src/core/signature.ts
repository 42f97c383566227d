import type { Datatype } from './datatype.ts';
import type { InferenceRequest, Prediction } from './inference.ts';
import type { Waiting } from './offload.ts';
import type { Maybe } from './verdict.ts';

/** One input or output of a model. A dimension of -1 takes any size. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
}

/** What a model takes and gives, as its file or its server states it. */
export interface Signature {
  /** Runtime that executes the model, as OIP's `platform`. */
  readonly platform: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** One request may have any number of answers, none included; it can be asked only where several can be told. */
  readonly decoupled: boolean;
}

/** Every input and output has a free dimension 0, so that rows of several callers may share a run. */
export function isBatchable(signature: Signature): boolean {
  const free = (spec: TensorSpec): boolean => spec.shape[0] === -1;
  return signature.inputs.length > 0 && signature.inputs.every(free) && signature.outputs.every(free);
}

/** A model's signature compiled with what config narrows, ready to judge requests and answers. */
export interface ModelContract {
  readonly signature: Signature;
  /** Rows that one request may hold; 0 where dimension 0 does not count rows. */
  readonly rowLimit: number;
  /** Rows of a request that fits, whatever the order of its inputs; 1 where dimension 0 does not count rows. */
  rows(request: InferenceRequest): number;
  /**
   * Why the request does not fit: which input, what was found, what was expected. Empty when it fits. A promise only where there is so much
   * to look at that a thread does it; `waiting` waits for that.
   */
  refusal(request: InferenceRequest, waiting: Waiting): Maybe<string>;
  /**
   * Why the backend's answer does not fit the signature or the request, in the same way; an explanation has a form of its own. Never a
   * promise where a model answers several times. Empty when it fits.
   */
  lie(request: InferenceRequest, prediction: Prediction, waiting: Waiting): Maybe<string>;
  /** What of a lie can be seen at once: all of it, but for the number of strings where there are too many to be counted in place. */
  plainLie(request: InferenceRequest, prediction: Prediction): string;
}
