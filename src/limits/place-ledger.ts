import type { PlaceAsk, PlaceGrant } from '../core/limits.ts';
import type { CapId } from '../core/units.ts';

type Recall = (cap: CapId, places: number) => void;

interface Asking {
  readonly worker: number;
  readonly needed: number;
  readonly answer: (grant: PlaceGrant) => void;
}

/** One cap of which anything is lent. */
interface Lending {
  readonly cap: CapId;
  lent: number;
  readonly lentTo: Map<number, number>;
  /** Who waits for places to come back; one ask a worker. */
  asking: Asking[];
  /** Workers that were asked for their idle places and have not answered. */
  readonly recalled: Set<number>;
}

/** A worker that was refused asks no more for this long: its answer would be the same, and cost every other worker a message. */
const REFUSED_MS = 20;

/**
 * The truth about places in flight, over all workers: lends them, and calls idle ones back for a worker that has none. A place is with one
 * worker or free, never both, so no cap is ever passed.
 */
export class PlaceLedger {
  readonly #workers: () => number;
  readonly #capacities: number[] = [];
  readonly #lendings = new Map<CapId, Lending>();
  readonly #recalls = new Map<number, Recall>();

  /** `workers` says how many there are to lend to. */
  constructor(workers: () => number) {
    this.#workers = workers;
  }

  /** Sets or changes a cap; places that are lent stay so. */
  configure(cap: CapId, capacity: number): void {
    if (!Number.isSafeInteger(capacity) || capacity < 0) {
      throw new RangeError(`capacity ${capacity}: expected a whole number of requests from 0`);
    }
    this.#capacities[cap] = capacity;
  }

  /** How recalls reach a worker. It answers each with `give`. */
  onRecall(worker: number, recall: Recall): void {
    this.#recalls.set(worker, recall);
  }

  /** Answers at once, or when the workers that hold places have said whether they need them. */
  ask(worker: number, { cap, needed }: PlaceAsk, answer: (grant: PlaceGrant) => void): void {
    const lending = this.#lendingOf(cap);
    this.#dismiss(lending, worker);
    const free = this.#free(lending);
    if (needed === 0 || free > 0) {
      const granted = Math.max(0, Math.min(needed, free));
      this.#lend(lending, worker, granted);
      const ahead = granted === needed && lending.asking.length === 0 ? this.#ahead(lending) : 0;
      this.#lend(lending, worker, ahead);
      this.#tidy(lending);
      answer({ granted: granted + ahead, retryInMs: 0 });
      return;
    }
    lending.asking.push({ worker, needed, answer });
    this.#callBack(lending, worker, needed);
    this.#serve(lending);
  }

  /** Places that a worker does not need, or 0 as its answer to a recall. */
  give(worker: number, cap: CapId, places: number): void {
    const lending = this.#lendings.get(cap);
    if (lending === undefined) return;
    lending.recalled.delete(worker);
    this.#lend(lending, worker, -Math.min(places, lending.lentTo.get(worker) ?? 0));
    this.#serve(lending);
  }

  /** The worker is no more, and with it all that it had in flight. */
  forget(worker: number): void {
    this.#recalls.delete(worker);
    for (const lending of [...this.#lendings.values()]) {
      lending.asking = lending.asking.filter((one) => one.worker !== worker);
      this.give(worker, lending.cap, Number.POSITIVE_INFINITY);
    }
  }

  /** Places out with workers. */
  lent(cap: CapId): number {
    return this.#lendings.get(cap)?.lent ?? 0;
  }

  /** An earlier ask of this worker that still stands was given up by it; without an answer it would be remembered there for ever. */
  #dismiss(lending: Lending, worker: number): void {
    const at = lending.asking.findIndex((one) => one.worker === worker);
    if (at >= 0) lending.asking.splice(at, 1)[0]!.answer({ granted: 0, retryInMs: REFUSED_MS });
  }

  #callBack(lending: Lending, asker: number, places: number): void {
    for (const worker of [...lending.lentTo.keys()]) {
      const recall = this.#recalls.get(worker);
      if (worker === asker || recall === undefined || lending.recalled.has(worker)) continue;
      // Noted first: a worker in this process answers from inside.
      lending.recalled.add(worker);
      recall(lending.cap, places);
    }
  }

  /** Those who wait get what is free, in turn; when nobody is left to give anything back, the rest is refused. */
  #serve(lending: Lending): void {
    while (lending.asking.length > 0) {
      const granted = Math.min(lending.asking[0]!.needed, this.#free(lending));
      if (granted <= 0 && lending.recalled.size > 0) return;
      const { worker, answer } = lending.asking.shift()!;
      this.#lend(lending, worker, Math.max(0, granted));
      answer(granted > 0 ? { granted, retryInMs: 0 } : { granted: 0, retryInMs: REFUSED_MS });
    }
    this.#tidy(lending);
  }

  #lend(lending: Lending, worker: number, places: number): void {
    if (places === 0) return;
    const lent = (lending.lentTo.get(worker) ?? 0) + places;
    if (lent === 0) lending.lentTo.delete(worker);
    else lending.lentTo.set(worker, lent);
    lending.lent += places;
  }

  /** Half of what is free is shared out at most, so that small caps are lent place by place. */
  #ahead(lending: Lending): number {
    return Math.max(0, Math.floor(this.#free(lending) / (2 * Math.max(1, this.#workers()))));
  }

  #free(lending: Lending): number {
    return (this.#capacities[lending.cap] ?? 0) - lending.lent;
  }

  #lendingOf(cap: CapId): Lending {
    let lending = this.#lendings.get(cap);
    if (lending === undefined) {
      lending = { cap, lent: 0, lentTo: new Map(), asking: [], recalled: new Set() };
      this.#lendings.set(cap, lending);
    }
    return lending;
  }

  #tidy(lending: Lending): void {
    if (lending.lent === 0 && lending.asking.length === 0 && lending.recalled.size === 0) this.#lendings.delete(lending.cap);
  }
}
