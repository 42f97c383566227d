import type { InferenceRequest, Tensor } from '../../core/inference.ts';
import type { Variant } from '../../core/traffic.ts';

/** A request that has got its answer, as far as copies of it need it: views on its bytes, no bytes of its own. */
export interface Answered {
  readonly model: string;
  readonly tenant: string;
  readonly requestId: string;
  readonly traceparent: string;
  /** Of its caller. */
  readonly affinity: number;
  readonly request: InferenceRequest;
  readonly rows: number;
  /** As the backend gave them, before any guard. */
  readonly outputs: readonly Tensor[];
  readonly by: Variant;
  /** The stable variant of its plan. */
  readonly stable: Variant;
  /** Microseconds of the call; 0 where more than one was made. */
  readonly tookUs: number;
  readonly costNano: number;
}
