import type { FaultKind } from './faults.ts';
import type { InferenceRequest, Prediction } from './inference.ts';
import type { Signature } from './signature.ts';

export type BackendKind = 'grpc' | 'http' | 'onnx';

/**
 * What a call tells its caller. Order: onPrediction as often as the model answers (exactly once unless its signature is decoupled), then
 * exactly one of onEnd or onFault, then exactly one onClosed. Never from inside `open`.
 */
export interface CallSink {
  /** False asks for a pause before the next answer, which `Call.resume` lifts. Where no other can follow, nothing pauses. */
  onPrediction(prediction: Prediction): boolean;
  /** All answers have come. */
  onEnd(): void;
  /**
   * `reached` says whether the backend may have begun the work. `retryAfterMs` is what the backend itself asks to wait before the next try:
   * 0 when it says nothing, negative when it asks for no other try, here or elsewhere.
   */
  onFault(kind: FaultKind, detail: string, reached: boolean, retryAfterMs: number): void;
  /** The backend has really stopped; permits go back here and not earlier, since cancelled work may still be running. */
  onClosed(): void;
}

/** Something that a request waits for, and that ends when nobody waits any more. */
export interface Pending {
  /** Idempotent. */
  cancel(): void;
}

/** After `cancel` the sink hears onFault with ClientGone (unless it has heard the end already), then onClosed. */
export interface Call extends Pending {
  /** Where it went: an address, or the name of what runs in this process. */
  readonly endpoint: string;
  /** Asks for the next answer after a pause. Safe at any time. */
  resume(): void;
}

/** What travels with a call besides the request. */
export interface CallOptions {
  /** Milliseconds that are left of the request's deadline. */
  readonly timeoutMs: number;
  /** W3C trace context for the backend; empty when there is none. */
  readonly traceparent: string;
  /** What goes with it; empty when there is nothing, and never there without a trace context. */
  readonly tracestate: string;
  readonly requestId: string;
  /** Keeps the calls of a sequence on one endpoint; 0 leaves the choice free. */
  readonly affinity: number;
  /**
   * The endpoint that the try before this one went to, so that this one goes elsewhere, or is refused as unreachable where there is no
   * other; empty for a first try.
   */
  readonly avoid: string;
}

/** One way to reach one deployed variant. Every kind passes the same contract suite. */
export interface Backend {
  readonly kind: BackendKind;
  /** For people: a file, or an address. Never a credential. */
  readonly target: string;
  /** Begins a prediction. No promise a call. */
  open(request: InferenceRequest, options: CallOptions, sink: CallSink): Call;
  /** Loads or connects, reads the signature and runs nothing yet. Rejects with a GatewayError that says why. */
  warm(): Promise<Signature>;
  /** Whether the backend says it is ready now. Never rejects. */
  probe(timeoutMs: number): Promise<boolean>;
  close(): Promise<void>;
}
