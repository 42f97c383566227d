import type { Call, CallSink } from '../../core/backend.ts';
import { Fault, type FaultKind } from '../../core/faults.ts';
import type { Prediction, Tensor } from '../../core/inference.ts';
import { QueueEntry } from './call-queue.ts';

/** Where a call stands. Refused waits for the end of the tick, since a sink never hears anything from inside `open`. */
export const Stage = { Refused: 0, Waiting: 1, Running: 2, Closed: 3 } as const;
export type Stage = (typeof Stage)[keyof typeof Stage];

/** What a call belongs to. */
export interface CallOwner {
  /** Takes a call out that is not running; it never will. */
  drop(call: OnnxCall): void;
  /** A running call was given up by its caller; its run goes on. */
  left(call: OnnxCall): void;
}

/** What a request brings to its call. */
export interface CallInput {
  /** In the order of the model's signature. */
  readonly inputs: readonly Tensor[];
  /** Names of the outputs asked for; empty means all. */
  readonly wanted: readonly string[];
  /** Calls with the same key may share a run; null never shares. */
  readonly key: string | null;
  readonly rows: number;
}

/** The run that a call is part of. */
export interface SharedRun {
  left(nowMs: number): void;
}

/** One call's life: keeps the order that a sink relies on, whatever the queue and the threads do. */
export class OnnxCall extends QueueEntry implements Call {
  readonly inputs: readonly Tensor[];
  readonly wanted: readonly string[];
  readonly openedUs: number;
  readonly endpoint = 'in process';
  readonly #sink: CallSink;
  readonly #owner: CallOwner;
  stage: Stage = Stage.Waiting;
  /** The sink has heard its prediction or its fault. */
  heard = false;
  /** It was part of a run once. */
  begun = false;
  run: SharedRun | null = null;
  refusedWith: FaultKind = Fault.Bug;
  refusedDetail = '';

  constructor(input: CallInput, times: { deadlineMs: number; openedUs: number }, sink: CallSink, owner: CallOwner) {
    super(input.key, input.rows, times.deadlineMs);
    this.inputs = input.inputs;
    this.wanted = input.wanted;
    this.openedUs = times.openedUs;
    this.#sink = sink;
    this.#owner = owner;
  }

  /** A run has one answer. */
  resume(): void {}

  cancel(): void {
    if (this.heard || this.stage === Stage.Closed) return;
    if (this.stage === Stage.Running) {
      this.fault(Fault.ClientGone, '', true);
      this.#owner.left(this);
      return;
    }
    this.#owner.drop(this);
    this.fault(Fault.ClientGone, '', this.begun);
    this.close();
  }

  /** Notes a refusal that `tellRefusal` is to tell later. */
  refuse(kind: FaultKind, detail: string): void {
    this.stage = Stage.Refused;
    this.refusedWith = kind;
    this.refusedDetail = detail;
  }

  tellRefusal(): void {
    this.fault(this.refusedWith, this.refusedDetail, false);
    this.close();
  }

  begin(run: SharedRun): void {
    this.stage = Stage.Running;
    this.run = run;
    this.begun = true;
  }

  /** Back to waiting: its run failed and others were in it. */
  putBack(): void {
    this.stage = Stage.Waiting;
    this.run = null;
  }

  predict(prediction: Prediction): void {
    if (this.heard) return;
    this.heard = true;
    try {
      this.#sink.onPrediction(prediction);
      this.#sink.onEnd();
    } catch (error) {
      raise(error);
    }
  }

  fault(kind: FaultKind, detail: string, reached: boolean): void {
    if (this.heard) return;
    this.heard = true;
    try {
      this.#sink.onFault(kind, detail, reached, 0);
    } catch (error) {
      raise(error);
    }
  }

  close(): void {
    if (this.stage === Stage.Closed) return;
    this.stage = Stage.Closed;
    this.run = null;
    try {
      this.#sink.onClosed();
    } catch (error) {
      raise(error);
    }
  }
}

/** A sink that throws is its owner's bug; it must not take the answers of those who shared its run. */
function raise(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}
