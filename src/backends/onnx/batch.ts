import { Fault, type FaultKind } from '../../core/faults.ts';
import type { Signature } from '../../core/signature.ts';
import type { OnnxCall, SharedRun } from './onnx-call.ts';
import { canShare, splitOutputs } from './split-outputs.ts';
import type { RunResult } from './thread-messages.ts';

/** The model that a run belongs to. */
export interface RunOwner {
  readonly session: number;
  readonly signature: Signature;
  readonly costUs: number;
  /** A run has ended; groups of its calls must run again. */
  ran(batch: Batch, computeUs: number, again: readonly OnnxCall[][]): void;
}

const NONE: readonly OnnxCall[][] = [];

/** Calls that share one run, and what its end means for each of them. */
export class Batch implements SharedRun {
  readonly run: number;
  readonly owner: RunOwner;
  readonly calls: readonly OnnxCall[];
  readonly rows: number;
  /** What the run is expected to take; microseconds. */
  readonly costUs: number;
  /** When the last caller gave up; -1 while one waits. */
  leftMs = -1;
  #waiting: number;

  constructor(run: number, owner: RunOwner, calls: readonly OnnxCall[]) {
    this.run = run;
    this.owner = owner;
    this.calls = calls;
    this.costUs = owner.costUs;
    this.#waiting = calls.length;
    let rows = 0;
    for (let i = 0; i < calls.length; i++) {
      calls[i]!.begin(this);
      rows += calls[i]!.rows;
    }
    this.rows = rows;
  }

  left(nowMs: number): void {
    if (--this.#waiting === 0) this.leftMs = nowMs;
  }

  /** Tells the callers how the run ended. */
  finish(result: RunResult): void {
    const shared = this.calls.length > 1;
    let again = NONE;
    if (result.end === 'done' && (!shared || canShare(this.calls, result.outputs)))
      splitOutputs(this, this.owner.signature.outputs, result);
    else if (shared) again = this.#halves();
    else this.#blame(result);
    this.owner.ran(this, result.computeUs, again);
  }

  /** The run has no end that anybody will hear of. */
  fail(kind: FaultKind, detail: string, reached: boolean): void {
    for (let i = 0; i < this.calls.length; i++) this.calls[i]!.fault(kind, detail, reached);
  }

  /** Nothing of the run is left in any thread. */
  close(): void {
    for (let i = 0; i < this.calls.length; i++) this.calls[i]!.close();
  }

  #blame(result: RunResult): void {
    if (result.end === 'input') this.fail(Fault.BadRequest, result.error, true);
    else this.fail(Fault.BackendFailed, `the model run failed: ${result.error}`, true);
    this.close();
  }

  /**
   * Several shared a run that failed, or whose outputs have no row for each of theirs. Halves are tried until the call that spoils the
   * runs is alone: one bad call among 32 costs ten more runs, not 32, and its mates get their answers.
   */
  #halves(): OnnxCall[][] {
    const again: OnnxCall[] = [];
    for (let i = 0; i < this.calls.length; i++) {
      const call = this.calls[i]!;
      if (call.heard) {
        call.close();
        continue;
      }
      call.putBack();
      again.push(call);
    }
    if (again.length < 2) return again.length === 0 ? [] : [again];
    const middle = again.length >> 1;
    return [again.slice(0, middle), again.slice(middle)];
  }
}
