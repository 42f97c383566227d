import type { Millis } from '../../src/core/units.ts';
import type { AdaptiveLimit } from '../../src/limits/adaptive-limit.ts';

/** A backend with so many servers and one line before them, called by strangers who do not wait for each other. */
export interface Backend {
  servers: number;
  /** Milliseconds that one call keeps a server. */
  serviceMs: (random: () => number) => number;
  arrivalsPerSecond: number;
}

export interface Second {
  readonly limit: number;
  readonly done: number;
  readonly refused: number;
  /** Mean latency of calls that ended, milliseconds. */
  readonly latencyMs: number;
}

interface Call {
  readonly beganMs: number;
  endsMs: number;
}

/** Runs in virtual time, a quarter of a millisecond a step. */
export class QueueSimulation {
  readonly #limit: AdaptiveLimit;
  readonly #backend: Backend;
  readonly #random: () => number;
  readonly #line: Call[] = [];
  readonly #running: Call[] = [];
  #nowMs = 0;

  constructor(limit: AdaptiveLimit, backend: Backend, random: () => number) {
    this.#limit = limit;
    this.#backend = backend;
    this.#random = random;
  }

  /** What each of the next seconds came to. */
  run(seconds: number): Second[] {
    const told: Second[] = [];
    for (let s = 0; s < seconds; s++) told.push(this.#second());
    return told;
  }

  #second(): Second {
    let [done, refused, sumMs] = [0, 0, 0];
    const { arrivalsPerSecond } = this.#backend;
    for (let step = 0; step < 4_000; step++) {
      this.#nowMs += 0.25;
      for (let i = this.#running.length - 1; i >= 0; i--) {
        const call = this.#running[i]!;
        if (call.endsMs > this.#nowMs) continue;
        const inFlight = this.#inFlight;
        this.#running.splice(i, 1);
        const latencyMs = this.#nowMs - call.beganMs;
        this.#limit.succeeded(latencyMs * 1_000, inFlight, Math.trunc(this.#nowMs) as Millis);
        done++;
        sumMs += latencyMs;
      }
      for (let due = this.#poisson(arrivalsPerSecond / 4_000); due > 0; due--) {
        if (this.#inFlight >= this.#limit.limit) refused++;
        else this.#line.push({ beganMs: this.#nowMs, endsMs: 0 });
      }
      while (this.#running.length < this.#backend.servers && this.#line.length > 0) {
        const call = this.#line.shift()!;
        call.endsMs = this.#nowMs + this.#backend.serviceMs(this.#random);
        this.#running.push(call);
      }
    }
    return { limit: this.#limit.limit, done, refused, latencyMs: done === 0 ? 0 : sumMs / done };
  }

  get #inFlight(): number {
    return this.#line.length + this.#running.length;
  }

  #poisson(mean: number): number {
    const floor = Math.exp(-mean);
    let [count, product] = [0, this.#random()];
    while (product > floor) {
      count++;
      product *= this.#random();
    }
    return count;
  }
}

/** The same numbers between 0 and 1 for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
