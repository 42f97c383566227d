import type { FaultKind } from './faults.ts';
import type { InferenceRequest, Prediction } from './inference.ts';
import type { Signature } from './signature.ts';

export type BackendKind = 'grpc' | 'http' | 'onnx';

/** What a call tells its caller. Order: exactly one of onPrediction or onFault, then exactly one onClosed. Never from inside `open`. */
export interface CallSink {
  onPrediction(prediction: Prediction): void;
  /** `reached` says whether the backend may have begun the work: it decides what may be retried. */
  onFault(kind: FaultKind, detail: string, reached: boolean): void;
  /** The backend has really stopped; permits go back here and not earlier, since cancelled work may still be running. */
  onClosed(): void;
}

export interface Call {
  /** Idempotent. The sink hears onFault with ClientGone (unless it has heard its answer already), then onClosed. */
  cancel(): void;
}

/** What travels with a call besides the request. */
export interface CallOptions {
  /** Milliseconds that are left of the request's deadline. */
  readonly timeoutMs: number;
  /** W3C trace context for the backend; empty when there is none. */
  readonly traceparent: string;
  readonly requestId: string;
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
