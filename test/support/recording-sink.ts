import type { CallSink } from '../../src/core/backend.ts';
import type { FaultKind } from '../../src/core/faults.ts';
import type { Prediction } from '../../src/core/inference.ts';

/** Writes down what a backend says of one call, in order. */
export class RecordingSink implements CallSink {
  readonly events: string[] = [];
  prediction: Prediction | null = null;
  fault: FaultKind | null = null;
  detail = '';
  reached: boolean | null = null;
  /** Resolves at onClosed. */
  readonly closed: Promise<void>;
  #close: () => void = () => undefined;

  constructor() {
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
  }

  onPrediction(prediction: Prediction): void {
    this.events.push('prediction');
    this.prediction = prediction;
  }

  onFault(kind: FaultKind, detail: string, reached: boolean): void {
    this.events.push(`fault ${kind.code}`);
    this.fault = kind;
    this.detail = detail;
    this.reached = reached;
  }

  onClosed(): void {
    this.events.push('closed');
    this.#close();
  }
}
