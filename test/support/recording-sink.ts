import type { CallSink } from '../../src/core/backend.ts';
import type { FaultKind } from '../../src/core/faults.ts';
import type { Prediction } from '../../src/core/inference.ts';

/** Writes down what a backend says of one call, in order. */
export class RecordingSink implements CallSink {
  readonly events: string[] = [];
  prediction: Prediction | null = null;
  readonly predictions: Prediction[] = [];
  /** Asks for a pause after each answer. */
  pauses = false;
  fault: FaultKind | null = null;
  detail = '';
  reached: boolean | null = null;
  retryAfterMs = 0;
  /** Resolves at onClosed. */
  readonly closed: Promise<void>;
  #close: () => void = () => undefined;

  constructor() {
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
  }

  onPrediction(prediction: Prediction): boolean {
    this.events.push('prediction');
    this.prediction = prediction;
    this.predictions.push(prediction);
    return !this.pauses;
  }

  onEnd(): void {
    this.events.push('end');
  }

  onFault(kind: FaultKind, detail: string, reached: boolean, retryAfterMs: number): void {
    this.events.push(`fault ${kind.code}`);
    this.fault = kind;
    this.detail = detail;
    this.reached = reached;
    this.retryAfterMs = retryAfterMs;
  }

  onClosed(): void {
    this.events.push('closed');
    this.#close();
  }
}
