import type { BatchingConfig } from '../../config/model-schema.ts';
import type { Clock } from '../../core/clock.ts';
import { Fault } from '../../core/faults.ts';
import type { Signature } from '../../core/signature.ts';
import type { Batch } from './batch.ts';
import { CallQueue } from './call-queue.ts';
import { type CallOwner, type OnnxCall, Stage } from './onnx-call.ts';

/** How much of the last runs' cost goes into what the next one is expected to take. */
const NEWEST_SHARE = 0.2;
const TIMED_OUT = 'the time was over before a thread was free';

export interface LaneOptions {
  readonly session: number;
  readonly signature: Signature;
  readonly batching: BatchingConfig | null;
  readonly maxQueueRows: number;
  readonly clock: Clock;
  readonly onBatch: (rows: number) => void;
}

/** What waits for one model, and which of it runs next. */
export class Lane implements CallOwner {
  readonly session: number;
  readonly signature: Signature;
  readonly #batching: BatchingConfig | null;
  readonly #clock: Clock;
  readonly #onBatch: (rows: number) => void;
  readonly #queue: CallQueue<OnnxCall>;
  /** Groups out of runs that failed; they go first and stay as they are. */
  readonly #again: OnnxCall[][] = [];
  readonly #scratch: OnnxCall[] = [];
  /** What a run is expected to take, in microseconds; 0 before the first one. */
  costUs = 0;
  /** Why no thread can serve the model; empty while one can or soon will. */
  trouble = '';

  constructor(options: LaneOptions) {
    this.session = options.session;
    this.signature = options.signature;
    this.#batching = options.batching;
    this.#clock = options.clock;
    this.#onBatch = options.onBatch;
    this.#queue = new CallQueue(options.maxQueueRows);
  }

  get waiting(): boolean {
    return this.#queue.size > 0 || this.#again.length > 0;
  }

  get waitingRows(): number {
    return this.#queue.rows;
  }

  /** False when too many rows wait already. */
  push(call: OnnxCall): boolean {
    return this.#queue.push(call);
  }

  drop(call: OnnxCall): void {
    // A call in a group that runs again stays there, closed, until the group's turn comes.
    this.#queue.remove(call);
  }

  left(call: OnnxCall): void {
    call.run?.left(this.#clock.nowMs());
  }

  /** Microseconds that the oldest call may still wait for others; 0 when its batch should go. */
  holdUs(nowUs: number): number {
    const batching = this.#batching;
    const oldest = this.#queue.oldest;
    if (batching === null || oldest === null || this.#again.length > 0) return 0;
    if (oldest.key === null || this.#queue.oldestGroupRows() >= batching.maxRows) return 0;
    return Math.max(0, oldest.openedUs + batching.maxDelayUs - nowUs);
  }

  /** The calls of the next run; none when all that waited had no time left. */
  next(nowMs: number): OnnxCall[] {
    while (this.#again.length > 0) {
      const group = this.#inTime(this.#again.shift()!, nowMs);
      if (group.length > 0) return group;
    }
    while (this.#queue.size > 0) {
      const calls: OnnxCall[] = [];
      this.#queue.take(this.#batching === null ? 1 : this.#batching.maxRows, calls);
      const batch = this.#inTime(calls, nowMs);
      if (batch.length > 0) return batch;
    }
    return [];
  }

  /** A run has ended, well or not. */
  ran(batch: Batch, computeUs: number, again: readonly OnnxCall[][]): void {
    this.costUs = this.costUs === 0 ? computeUs : this.costUs + (computeUs - this.costUs) * NEWEST_SHARE;
    this.#onBatch(batch.rows);
    for (let i = 0; i < again.length; i++) this.#again.push(again[i]!);
  }

  /** Refuses the calls whose time is over. */
  expire(nowMs: number): void {
    const expired = this.#scratch;
    this.#queue.takeExpired(nowMs, expired);
    for (let i = 0; i < expired.length; i++) timeOut(expired[i]!);
    expired.length = 0;
  }

  /** Refuses all that waits: the model is going away. */
  clear(detail: string): void {
    const calls = this.#again.splice(0).flat();
    this.#queue.takeExpired(Number.POSITIVE_INFINITY, calls);
    for (const call of calls) {
      call.fault(Fault.BackendUnreachable, detail, call.begun);
      call.close();
    }
  }

  #inTime(calls: OnnxCall[], nowMs: number): OnnxCall[] {
    let kept = 0;
    for (let i = 0; i < calls.length; i++) {
      const call = calls[i]!;
      if (call.stage === Stage.Closed) continue;
      if (call.deadlineMs <= nowMs) timeOut(call);
      else calls[kept++] = call;
    }
    calls.length = kept;
    return calls;
  }
}

function timeOut(call: OnnxCall): void {
  call.fault(Fault.BackendTimeout, TIMED_OUT, call.begun);
  call.close();
}
