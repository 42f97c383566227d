import type { Clock } from '../core/clock.ts';
import type { InferenceRequest, Prediction, Tensor } from '../core/inference.ts';
import type { ShadowOutcome } from '../core/observer.ts';
import type { ShadowShare } from '../core/traffic.ts';
import { millis, WHOLE_BP } from '../core/units.ts';
import { affinityOf, mixed } from './affinity.ts';
import { type CopyKeeper, ShadowCopy, type ShadowWork } from './shadow-copy.ts';

// A cancelled call ends within milliseconds, but a model run in this process cannot be stopped: shutdown does not wait for that.
const CLOSE_WAIT_MS = 1_000;

export interface ShadowLimits {
  /** Copies waiting; more are dropped. */
  readonly maxQueued: number;
  /** Copies running at the same time. */
  readonly maxInFlight: number;
  /** Bytes of the buffers that waiting copies keep alive. */
  readonly maxQueuedBytes: number;
  /** Longest a copy may take, its wait included. */
  readonly timeoutMs: number;
}

/**
 * Gives shadows their copies of requests that have been answered, and compares. Whatever a shadow does, the request it was copied from
 * is over by then: copies never delay, fail or bill one, and those without room are dropped.
 */
export class ShadowQueue implements CopyKeeper {
  readonly #limits: ShadowLimits;
  readonly #clock: Clock;
  readonly #onOutcome: (model: string, variant: string, outcome: ShadowOutcome) => void;
  readonly #running = new Set<ShadowCopy>();
  // The waiting copies, each pointing at the one behind it.
  #first: ShadowCopy | null = null;
  #last: ShadowCopy | null = null;
  #length = 0;
  #queuedBytes = 0;
  #isClosed = false;
  #isStarting = false;
  #closing: Promise<void> | null = null;
  #onIdle: (() => void) | null = null;

  constructor(limits: ShadowLimits, clock: Clock, onOutcome: (model: string, variant: string, outcome: ShadowOutcome) => void) {
    this.#limits = limits;
    this.#clock = clock;
    this.#onOutcome = onOutcome;
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
    let work: ShadowWork | null = null;
    for (let i = 0; i < shares.length; i++) {
      const share = shares[i]!;
      if (!isSampled(share, affinity, requestId)) continue;
      if (work === null) {
        const sizeBytes = bytesOf(request.inputs) + bytesOf(primary.outputs);
        const deadlineMs = millis(this.#clock.nowMs() + this.#limits.timeoutMs);
        work = { model, request, primary, traceparent, requestId, sizeBytes, deadlineMs };
      }
      if (this.#hasRoom(work.sizeBytes)) this.#push(new ShadowCopy(this, work, share.variant));
      else this.#onOutcome(model, share.variant.name, 'dropped');
    }
    this.#start();
  }

  judged(copy: ShadowCopy, outcome: ShadowOutcome): void {
    this.#onOutcome(copy.work.model, copy.variant.name, outcome);
  }

  closed(copy: ShadowCopy): void {
    this.#running.delete(copy);
    if (this.#running.size === 0 && this.#onIdle !== null) this.#onIdle();
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
    // A backend that closes a call from inside `open` would bring us here again for each copy in the queue.
    if (this.#isStarting) return;
    this.#isStarting = true;
    try {
      while (this.#running.size < this.#limits.maxInFlight) {
        const copy = this.#shift();
        if (copy === null) break;
        this.#running.add(copy);
        if (!copy.begin(this.#clock.nowMs())) this.#running.delete(copy);
      }
    } finally {
      this.#isStarting = false;
    }
  }

  #push(copy: ShadowCopy): void {
    if (this.#last === null) this.#first = copy;
    else this.#last.next = copy;
    this.#last = copy;
    this.#length++;
    this.#queuedBytes += copy.work.sizeBytes;
  }

  #shift(): ShadowCopy | null {
    const copy = this.#first;
    if (copy === null) return null;
    this.#first = copy.next;
    if (this.#first === null) this.#last = null;
    copy.next = null;
    this.#length--;
    this.#queuedBytes -= copy.work.sizeBytes;
    return copy;
  }
}

/**
 * By caller and request, so that one busy caller is sampled too, and by the shadow's name: two shadows see different requests, and
 * neither follows the split between stable and canary.
 */
function isSampled(share: ShadowShare, affinity: number, requestId: string): boolean {
  if (share.sample >= WHOLE_BP) return true;
  const hash = mixed(mixed(affinity ^ affinityOf(share.variant.name)) ^ affinityOf(requestId));
  return hash % WHOLE_BP < share.sample;
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
