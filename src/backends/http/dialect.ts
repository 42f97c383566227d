import type { FaultKind } from '../../core/faults.ts';
import type { InferenceRequest, Task, Tensor } from '../../core/inference.ts';
import type { HttpAnswer } from '../../wire/http/http-sink.ts';

/** A request as it goes out. */
export interface Outgoing {
  readonly pieces: readonly Uint8Array[];
  readonly contentType: string;
  /** Value of Inference-Header-Content-Length; -1 sends none. */
  readonly jsonBytes: number;
}

/** Why something cannot be said or is not taken, as a row of the catalogue. */
export interface Refusal {
  readonly kind: FaultKind;
  readonly detail: string;
}

/** One way of asking for a prediction over HTTP. */
export interface Dialect {
  readonly readyPath: string;
  /** Where requests for `task` go. */
  pathOf(task: Task): string;
  write(request: InferenceRequest): Outgoing | Refusal;
  /** The outputs in an answer to `request` with status 200. */
  read(answer: HttpAnswer, request: InferenceRequest): Tensor[] | Refusal;
  /** Whether an answer with status 200 at `readyPath` says that the model is ready. */
  saysReady(body: Uint8Array): boolean;
}

export const JSON_TYPE = 'application/json';
export const BYTES_TYPE = 'application/octet-stream';
