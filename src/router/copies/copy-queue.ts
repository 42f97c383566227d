import type { Clock } from '../../core/clock.ts';
import type { Prediction, Tensor } from '../../core/inference.ts';
import type { ShadowOutcome } from '../../core/observer.ts';
import type { Variant } from '../../core/traffic.ts';
import { millis } from '../../core/units.ts';
import type { Agreement } from '../comparison/answer-comparer.ts';
import type { SecondAnswer } from '../comparison/comparison-book.ts';
import type { SpareTurns, SpareWork } from '../comparison/spare-turns.ts';
import type { Answered } from './answered.ts';
import { Copy, type CopyKeeper } from './copy.ts';

// A cancelled call ends within milliseconds, but a model run in this process cannot be stopped: shutdown does not wait for that.
const CLOSE_WAIT_MS = 1_000;

export interface QueueLimits {
  /** Copies waiting; more are dropped. */
  readonly maxQueued: number;
  /** Copies running, or answered and not yet compared, at the same time. */
  readonly maxInFlight: number;
  /** Bytes of the buffers that waiting copies keep alive. */
  readonly maxQueuedBytes: number;
  /** Longest a copy may take, its wait included. */
  readonly timeoutMs: number;
}

/** Where copies begin, who compares them and who hears what became of them. */
export interface CopyHouse {
  readonly clock: Clock;
  /** Copies begin and are compared there, since both take time that requests would wait for. */
  readonly turns: SpareTurns;
  readonly compare: (answered: Answered, second: SecondAnswer) => Agreement;
  /** Once for each copy. */
  readonly onOutcome: (answered: Answered, asked: Variant, outcome: ShadowOutcome) => void;
  /** Hears of mistakes that nobody waits for. */
  readonly onLost: (error: unknown) => void;
}

/**
 * Asks other variants what has been answered, and compares. Whatever they do, the request that was copied is over by then: copies never
 * delay, fail or bill one, and those without room are dropped.
 */
export class CopyQueue implements CopyKeeper, SpareWork {
  readonly #limits: QueueLimits;
  readonly #house: CopyHouse;
  readonly #running = new Set<Copy>();
  // The waiting copies, each pointing at the one behind it.
  #first: Copy | null = null;
  #last: Copy | null = null;
  #length = 0;
  #queuedBytes = 0;
  #isClosed = false;
  /** A turn was asked for, in which the next copy begins. */
  #isPosted = false;
  #closing: Promise<void> | null = null;
  #onIdle: (() => void) | null = null;

  constructor(limits: QueueLimits, house: CopyHouse) {
    this.#limits = limits;
    this.#house = house;
  }

  /** Copies waiting. */
  get length(): number {
    return this.#length;
  }

  get inFlight(): number {
    return this.#running.size;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Never throws. The request and its answer are not changed after this. */
  offer(answered: Answered, variant: Variant): void {
    const sizeBytes = bytesOf(answered.request.inputs) + bytesOf(answered.outputs);
    const deadlineMs = millis(this.#house.clock.nowMs() + this.#limits.timeoutMs);
    if (this.#hasRoom(sizeBytes)) this.#push(new Copy(this, answered, variant, { sizeBytes, deadlineMs }));
    else this.#house.onOutcome(answered, variant, 'dropped');
    this.#start();
  }

  nowUs(): number {
    return this.#house.clock.nowUs();
  }

  answered(copy: Copy): void {
    this.#house.turns.add(copy);
  }

  compare(copy: Copy, prediction: Prediction, tookUs: number): Agreement {
    return this.#house.compare(copy.answered, { by: copy.variant, prediction, tookUs });
  }

  lost(error: unknown): void {
    this.#house.onLost(error);
  }

  judged(copy: Copy, outcome: ShadowOutcome): void {
    this.#house.onOutcome(copy.answered, copy.variant, outcome);
  }

  closed(copy: Copy): void {
    this.#running.delete(copy);
    if (this.#running.size === 0 && this.#onIdle !== null) this.#onIdle();
    this.#start();
  }

  /** Begins one copy: the next has a turn of its own. */
  run(): void {
    this.#isPosted = false;
    if (this.#running.size >= this.#limits.maxInFlight) return;
    const copy = this.#shift();
    if (copy === null) return;
    this.#running.add(copy);
    if (!copy.begin(this.#house.clock.nowMs())) this.#running.delete(copy);
    this.#start();
  }

  /** Drops what waits and cancels what runs. Resolves when all has stopped, or after a second. Copies offered later are dropped. */
  close(): Promise<void> {
    this.#closing ??= this.#stop();
    return this.#closing;
  }

  #stop(): Promise<void> {
    this.#isClosed = true;
    for (let copy = this.#shift(); copy !== null; copy = this.#shift()) this.judged(copy, 'dropped');
    for (const copy of this.#running) copy.cancel();
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, CLOSE_WAIT_MS);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #hasRoom(sizeBytes: number): boolean {
    if (this.#isClosed || this.#length >= this.#limits.maxQueued) return false;
    return this.#queuedBytes + sizeBytes <= this.#limits.maxQueuedBytes;
  }

  #start(): void {
    if (this.#isPosted || this.#first === null || this.#running.size >= this.#limits.maxInFlight) return;
    this.#isPosted = true;
    this.#house.turns.add(this);
  }

  #push(copy: Copy): void {
    if (this.#last === null) this.#first = copy;
    else this.#last.next = copy;
    this.#last = copy;
    this.#length++;
    this.#queuedBytes += copy.sizeBytes;
  }

  #shift(): Copy | null {
    const copy = this.#first;
    if (copy === null) return null;
    this.#first = copy.next;
    if (this.#first === null) this.#last = null;
    copy.next = null;
    this.#length--;
    this.#queuedBytes -= copy.sizeBytes;
    return copy;
  }
}

/** Memory that a waiting copy keeps alive: a view keeps the whole buffer that it looks into, however little of it it shows. */
function bytesOf(tensors: readonly Tensor[]): number {
  let size = 0;
  let last: ArrayBufferLike | null = null;
  for (let i = 0; i < tensors.length; i++) {
    const { buffer } = tensors[i]!.data;
    // Tensors of one message look into one buffer, and stand one after another.
    if (buffer !== last) size += buffer.byteLength;
    last = buffer;
  }
  return size;
}
