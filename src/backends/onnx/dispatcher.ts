import type { Clock } from '../../core/clock.ts';
import { Fault, type FaultKind } from '../../core/faults.ts';
import { Batch } from './batch.ts';
import type { Lane } from './lane.ts';
import type { OnnxCall } from './onnx-call.ts';
import { packInputs } from './pack-inputs.ts';
import type { RunJob } from './thread-messages.ts';

/** A thread as the dispatcher sees it. */
export interface Hand {
  has(session: number): boolean;
  /** Whether a run of this cost may be given to it now. */
  accepts(costUs: number): boolean;
  /** Nothing was given to it that has not ended. */
  readonly idle: boolean;
  /** Work given and not yet ended, microseconds. */
  readonly expectedUs: number;
  add(batch: Batch, job: RunJob): void;
  /** Sends what was added. */
  post(): void;
}

/** Below this a timer is too coarse, and the event loop is polled. */
const TIMER_MIN_US = 2_000;

/**
 * Gives what waits to the threads, in turns over the models. What arrives in one tick is looked at once, at its end, so that its rows
 * share runs and its runs share messages. What the threads do not accept stays in the lanes, where batches grow and calls can still be
 * withdrawn.
 */
export class Dispatcher {
  readonly #clock: Clock;
  readonly #hands: () => readonly Hand[];
  #lanes: readonly Lane[] = [];
  #turn = 0;
  #run = 0;
  #refused: OnnxCall[] = [];
  #soon: NodeJS.Immediate | null = null;
  #later: NodeJS.Timeout | null = null;

  constructor(clock: Clock, hands: () => readonly Hand[]) {
    this.#clock = clock;
    this.#hands = hands;
  }

  get lanes(): readonly Lane[] {
    return this.#lanes;
  }

  add(lane: Lane): void {
    this.#lanes = [...this.#lanes, lane];
  }

  remove(lane: Lane): void {
    this.#lanes = this.#lanes.filter((other) => other !== lane);
  }

  /** @hot */
  submit(lane: Lane, call: OnnxCall): void {
    if (!lane.push(call)) this.refuse(call, Fault.Overloaded, 'too many rows wait for a thread already');
    else this.#wake();
  }

  /** Tells the refusal when the tick is over. */
  refuse(call: OnnxCall, kind: FaultKind, detail: string): void {
    call.refuse(kind, detail);
    this.#refused.push(call);
    this.#wake();
  }

  /** Hands out all that the threads accept. */
  pump(): void {
    this.#tellRefused();
    const hands = this.#hands();
    const nowUs = this.#clock.nowUs();
    const nowMs = this.#clock.nowMs();
    let holdUs = Number.POSITIVE_INFINITY;
    // One whole round without a run ends it; each run takes a call out of a bounded queue.
    for (let fruitless = 0; fruitless < this.#lanes.length; ) {
      const lane = this.#lanes[this.#turn % this.#lanes.length]!;
      this.#turn = (this.#turn + 1) % this.#lanes.length;
      const hand = lane.waiting ? handFor(lane, hands) : null;
      const laneHoldUs = hand?.idle === true ? lane.holdUs(nowUs) : 0;
      if (laneHoldUs > 0) holdUs = Math.min(holdUs, laneHoldUs);
      fruitless = hand !== null && laneHoldUs === 0 && this.#give(lane, hand, nowMs) ? 0 : fruitless + 1;
    }
    for (let i = 0; i < hands.length; i++) hands[i]!.post();
    if (holdUs !== Number.POSITIVE_INFINITY) this.#wakeAfter(holdUs);
  }

  /** No timer of this object is left; what waits stays as it is. */
  stop(): void {
    if (this.#soon !== null) clearImmediate(this.#soon);
    if (this.#later !== null) clearTimeout(this.#later);
    this.#soon = this.#later = null;
    this.#tellRefused();
  }

  #give(lane: Lane, hand: Hand, nowMs: number): boolean {
    const calls = lane.next(nowMs);
    if (calls.length === 0) return false;
    const batch = new Batch(++this.#run, lane, calls);
    try {
      hand.add(batch, packInputs(batch.run, lane.session, calls));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      batch.fail(Fault.Overloaded, 'there is no memory for the inputs of a run', false);
      batch.close();
    }
    return true;
  }

  #tellRefused(): void {
    if (this.#refused.length === 0) return;
    const refused = this.#refused;
    this.#refused = [];
    for (let i = 0; i < refused.length; i++) refused[i]!.tellRefusal();
  }

  #wake(): void {
    this.#soon ??= setImmediate(this.#onSoon);
  }

  #wakeAfter(us: number): void {
    // An older timer may be for a call that may wait longer.
    if (this.#later !== null) clearTimeout(this.#later);
    this.#later = null;
    if (us < TIMER_MIN_US) this.#wake();
    else this.#later = setTimeout(this.#onLater, Math.floor(us / 1000) - 1);
  }

  readonly #onSoon = (): void => {
    this.#soon = null;
    this.pump();
  };

  readonly #onLater = (): void => {
    this.#later = null;
    this.pump();
  };
}

/** The thread with the least to do that takes a run of this model; null when all have enough. */
function handFor(lane: Lane, hands: readonly Hand[]): Hand | null {
  let best: Hand | null = null;
  for (let i = 0; i < hands.length; i++) {
    const hand = hands[i]!;
    if (!hand.has(lane.session) || !hand.accepts(lane.costUs)) continue;
    if (best === null || hand.expectedUs < best.expectedUs) best = hand;
  }
  return best;
}
