import type { Clock } from '../core/clock.ts';
import type { InferenceRequest, Prediction } from '../core/inference.ts';
import type { ShadowOutcome } from '../core/observer.ts';
import type { ShadowShare } from '../core/traffic.ts';
import { type ShadowLimits, ShadowQueue } from './shadow-queue.ts';

/** One shadow queue for each model that has shadows, so that a shadow that hangs takes no places from those of other models. */
export class ShadowQueues {
  readonly #byModel = new Map<string, ShadowQueue>();

  constructor(
    models: readonly string[],
    limits: ShadowLimits,
    clock: Clock,
    onOutcome: (model: string, variant: string, outcome: ShadowOutcome) => void,
  ) {
    for (const model of models) this.#byModel.set(model, new ShadowQueue(limits, clock, onOutcome));
  }

  /** Copies waiting, of all models. */
  get length(): number {
    let length = 0;
    for (const queue of this.#byModel.values()) length += queue.length;
    return length;
  }

  /** @hot Never throws. The request and its answer are not changed after this. */
  offer(
    model: string,
    shares: readonly ShadowShare[],
    affinity: number,
    request: InferenceRequest,
    primary: Prediction,
    traceparent: string,
    requestId: string,
  ): void {
    this.#byModel.get(model)?.offer(model, shares, affinity, request, primary, traceparent, requestId);
  }

  /** Drops what waits and cancels what runs. */
  async close(): Promise<void> {
    await Promise.all([...this.#byModel.values()].map((queue) => queue.close()));
  }
}
