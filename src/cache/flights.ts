import type { CacheEntry } from '../core/cache.ts';
import type { FaultKind } from '../core/faults.ts';

/**
 * What a request becomes when it misses. `leads`: it asks the backend and tells by `land`, `fail` or `handOver`, once, how that ended.
 * `waits`: it hears one of the callbacks, unless it leaves before. `alone`: no room to wait; it asks for itself and tells nobody.
 */
export type Joined = 'leads' | 'waits' | 'alone';

/** Why all who wait get no answer. */
export interface SharedFault {
  readonly kind: FaultKind;
  readonly detail: string;
  /** What the backend asks its callers to wait; 0 when it says nothing. */
  readonly retryAfterMs: number;
}

/** One request that misses. Its callbacks run inside the leader's call. */
export interface Waiter {
  onLanded(entry: CacheEntry): void;
  onFailed(fault: SharedFault): void;
  /** It is the leader now and has to ask the backend. */
  onPromoted(): void;
}

export interface FlightLimits {
  /** Different misses in flight; further ones go alone. */
  readonly maxKeys: number;
  /** Requests that wait for the same miss; further ones go alone. */
  readonly maxWaiters: number;
}

/**
 * Equal misses share one call: the first leads, the others wait for what it finds. Who leads is noted by the leader itself; nobody
 * else may land, fail or hand over.
 */
export class Flights {
  readonly #limits: FlightLimits;
  readonly #onLost: (error: unknown) => void;
  readonly #byKey = new Map<string, Flight>();
  /** The innermost flight whose waiters are being told. */
  #telling: Flight | null = null;

  /** `onLost` hears what a waiter's callback throws: the others are told all the same. */
  constructor(limits: FlightLimits, onLost: (error: unknown) => void) {
    this.#limits = limits;
    this.#onLost = onLost;
  }

  /** Misses in flight. */
  get keys(): number {
    return this.#byKey.size;
  }

  /** @hot */
  join(key: string, waiter: Waiter): Joined {
    const flight = this.#byKey.get(key);
    if (flight === undefined) {
      if (this.#byKey.size >= this.#limits.maxKeys) return 'alone';
      this.#byKey.set(key, new Flight());
      return 'leads';
    }
    if (flight.waiters.length >= this.#limits.maxWaiters) return 'alone';
    flight.waiters.push(waiter);
    return 'waits';
  }

  /** Requests that wait for the leader of `key`: while there are any, a leader whose client has left keeps its call. */
  waiting(key: string): number {
    const flight = this.#byKey.get(key);
    return flight === undefined ? 0 : flight.waiters.length;
  }

  /** The waiter's client or its patience has gone: it will hear nothing more. False when it was not waiting. */
  leave(key: string, waiter: Waiter): boolean {
    const flight = this.#byKey.get(key);
    if (flight?.drop(waiter)) return true;
    for (let told = this.#telling; told !== null; told = told.outer) {
      if (told.drop(waiter)) return true;
    }
    return false;
  }

  /** The answer is here: all who wait get it. Returns how many. */
  land(key: string, entry: CacheEntry): number {
    const flight = this.#close(key);
    return flight === null ? 0 : this.#tell(flight, entry, null);
  }

  /** A fault that all would meet, such as a dead backend. Returns how many heard it. */
  fail(key: string, fault: SharedFault): number {
    const flight = this.#close(key);
    return flight === null ? 0 : this.#tell(flight, null, fault);
  }

  /** What stops the leader concerns it alone (its client, its deadline, its limits): the first who waits takes over. False: nobody did. */
  handOver(key: string): boolean {
    const flight = this.#byKey.get(key);
    if (flight === undefined) return false;
    flight.led = false;
    // A promoted waiter that hands over at once: the loop below goes on with the next, or a long queue would nest as deep.
    if (flight.promoting) return flight.waiters.length > 0;
    flight.promoting = true;
    while (!flight.led && flight.waiters.length > 0) this.#promote(flight);
    flight.promoting = false;
    if (flight.led) return true;
    // Not the flight that another has begun for this key in the meantime.
    if (this.#byKey.get(key) === flight) this.#byKey.delete(key);
    return false;
  }

  #promote(flight: Flight): void {
    const next = flight.waiters.shift()!;
    flight.led = true;
    try {
      next.onPromoted();
    } catch (error) {
      flight.led = false;
      this.#onLost(error);
    }
  }

  #close(key: string): Flight | null {
    const flight = this.#byKey.get(key);
    if (flight === undefined) return null;
    // Before anybody hears of it, so that a waiter which asks again at once begins a new flight.
    this.#byKey.delete(key);
    return flight;
  }

  #tell(flight: Flight, entry: CacheEntry | null, fault: SharedFault | null): number {
    flight.outer = this.#telling;
    this.#telling = flight;
    let told = 0;
    while (flight.waiters.length > 0) {
      const waiter = flight.waiters.shift()!;
      told++;
      try {
        if (entry !== null) waiter.onLanded(entry);
        else if (fault !== null) waiter.onFailed(fault);
      } catch (error) {
        this.#onLost(error);
      }
    }
    this.#telling = flight.outer;
    return told;
  }
}

class Flight {
  readonly waiters: Waiter[] = [];
  /** False while the next leader is being chosen. */
  led = true;
  promoting = false;
  /** The flight whose telling this one's interrupted. */
  outer: Flight | null = null;

  drop(waiter: Waiter): boolean {
    const at = this.waiters.indexOf(waiter);
    if (at < 0) return false;
    this.waiters.splice(at, 1);
    return true;
  }
}
