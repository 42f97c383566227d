import type { Datatype } from './datatype.ts';

/** Parameters that may go on to a backend, built from an allow-list; a caller's map is never forwarded as it came. */
export type Params = ReadonlyMap<string, string | number | bigint | boolean>;

/** `data` is little-endian and row-major; a view on the bytes that came in, and maybe unaligned. */
export interface Tensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** What is to be done with the inputs: `explain` asks why the model answers as it does, which only some servers can say. */
export type Task = 'predict' | 'explain';

/** What a caller asks, whatever the face it came through. */
export interface InferenceRequest {
  readonly task: Task;
  readonly model: string;
  /** A variant's name or label; empty means routed by the plan. */
  readonly version: string;
  /** The caller's own id, echoed in the answer and never part of a cache key. */
  readonly id: string;
  readonly params: Params;
  /** Guards may put a rewritten tensor in the place of another. */
  readonly inputs: Tensor[];
  /** Names of the outputs asked for; empty means all. */
  readonly wanted: readonly string[];
  /** Microseconds the caller grants (the protocol's `timeout` parameter); 0 means none stated. */
  readonly timeoutUs: number;
  /** The protocol's `sequence_id`; empty means none. */
  readonly sequenceId: string;
}

/** What a backend answered. */
export interface Prediction {
  /** Guards may put a rewritten tensor in the place of another. */
  readonly outputs: Tensor[];
  /** Microseconds of work as the backend reported it, or as the call took where it does not. */
  readonly computeUs: number;
}

/** What one request used; the base of its price. */
export class Usage {
  rows = 0;
  inputTokens = 0;
  outputTokens = 0;
  inputBytes = 0;
  outputBytes = 0;
  computeUs = 0;
}

/** Rows of a request: dimension 0 of its first input, 1 for a scalar. */
export function rowsOf(tensors: readonly Tensor[]): number {
  const first = tensors[0];
  return first === undefined || first.shape.length === 0 ? 1 : first.shape[0]!;
}
