import { type ArmEvidence, CELLS, noEvidence } from '../../src/core/evidence.ts';
import type { CallerKind, Callers } from './callers.ts';
import type { Draws } from './draws.ts';

/** What a canary does worse than stable. */
export interface Harm {
  /** Added to the share of failed requests, of those that would not have failed. */
  readonly failures: number;
  /** Times as slow. */
  readonly slower: number;
  /** Added to the share of disagreeing answers. */
  readonly disagreements: number;
}

export const NO_HARM: Harm = { failures: 0, slower: 1, disagreements: 0 };

/** Of the canary's requests, those that are also put to stable. */
export const PAIRED_SHARE = 0.3;

export interface TrafficScene {
  readonly callers: CallerKind;
  readonly harm: Harm;
  /** Of the model. A tick is a second, and the judge looks once in it. */
  readonly requestsATick: number;
}

export const REQUEST_SPREAD = 0.5;
const BURST = { share: 0.2, ticks: 20 };
const SWING_TICKS = 90;

/** Expected shares of what the model gets, by cell of one arm. */
class Rates {
  readonly requests = new Float64Array(CELLS);
  readonly failures = new Float64Array(CELLS);
  readonly slowness = new Float64Array(CELLS);
  readonly dearness = new Float64Array(CELLS);
  readonly disagreements = new Float64Array(CELLS);

  add(callers: Callers, caller: number, times: number): void {
    const cell = callers.cell[caller]!;
    const rate = callers.rate[caller]! * times;
    this.requests[cell]! += rate;
    this.failures[cell]! += rate * callers.failureShare[caller]!;
    this.slowness[cell]! += rate * callers.slowness[caller]!;
    this.dearness[cell]! += rate * callers.dearness[caller]!;
    this.disagreements[cell]! += rate * callers.disagreement[caller]!;
  }
}

/**
 * Traffic of one model at one weight, tick by tick. Callers send independently of each other, so what a cell does in a tick is a few
 * Poisson and normal numbers and no request has to be followed by itself.
 */
export class Traffic {
  readonly stable = noEvidence();
  readonly canary = noEvidence();
  /** Of the canary, since the beginning of this weight. */
  requests = 0;
  badAnswers = 0;

  readonly #draws: Draws;
  readonly #callers: Callers;
  readonly #kind: CallerKind;
  readonly #harm: Harm;
  readonly #share: number;
  readonly #requestsATick: number;
  readonly #stableRates = new Rates();
  readonly #canaryRates = new Rates();
  readonly #busy: Uint8Array;
  readonly #phase: number;
  #ticks = 0;

  constructor(draws: Draws, callers: Callers, scene: TrafficScene, share: number) {
    this.#draws = draws;
    this.#callers = callers;
    this.#kind = scene.callers;
    this.#harm = scene.harm;
    this.#share = share;
    this.#requestsATick = scene.requestsATick;
    this.#busy = new Uint8Array(callers.count).fill(1);
    this.#phase = draws.uniform() * 2 * Math.PI;
    for (let caller = 0; caller < callers.count; caller++) this.#admit(caller);
  }

  tick(): void {
    this.#ticks++;
    if (this.#kind === 'bursty') this.#burst();
    const swing = this.#kind === 'drifting' ? Math.sin(this.#phase + (2 * Math.PI * this.#ticks) / SWING_TICKS) : null;
    const failing = swing === null ? 1 : 2 + swing;
    const slower = swing === null ? 0 : 0.35 * swing;
    this.#serve(this.stable, this.#stableRates, failing, slower);
    this.#serveCanary(failing, slower);
  }

  #admit(caller: number): void {
    if (this.#kind === 'independent') {
      this.#stableRates.add(this.#callers, caller, 1 - this.#share);
      this.#canaryRates.add(this.#callers, caller, this.#share);
      return;
    }
    if (this.#kind === 'bursty') {
      this.#busy[caller] = this.#draws.uniform() < BURST.share ? 1 : 0;
      if (this.#busy[caller] === 0) return;
    }
    this.#ratesOf(caller).add(this.#callers, caller, this.#kind === 'bursty' ? 1 / BURST.share : 1);
  }

  #ratesOf(caller: number): Rates {
    return this.#callers.place[caller]! < this.#share ? this.#canaryRates : this.#stableRates;
  }

  /** Some callers fall silent and others begin: as many as make bursts last their time. */
  #burst(): void {
    const changes = this.#draws.poisson((2 * BURST.share * this.#callers.count) / BURST.ticks);
    for (let i = 0; i < changes; i++) {
      const caller = Math.floor(this.#draws.uniform() * this.#callers.count);
      const isBusy = this.#busy[caller] === 1;
      if (!isBusy && this.#draws.uniform() >= BURST.share / (1 - BURST.share)) continue;
      this.#busy[caller] = isBusy ? 0 : 1;
      this.#ratesOf(caller).add(this.#callers, caller, (isBusy ? -1 : 1) / BURST.share);
    }
  }

  #serveCanary(failing: number, slower: number): void {
    const { canary } = this;
    const before = { requests: sumOf(canary.requests), failures: sumOf(canary.failures) };
    const harm = this.#harm;
    this.#serve(canary, this.#canaryRates, failing, slower + Math.log(harm.slower), harm.failures);
    const requests = sumOf(canary.requests) - before.requests;
    this.requests += requests;
    if (harm.slower > 1) this.badAnswers += requests;
    if (harm.failures > 0) this.badAnswers += sumOf(canary.failures) - before.failures;
    if (harm.disagreements > 0) this.badAnswers += requests * harm.disagreements;
    const pairs = this.#requestsATick * PAIRED_SHARE;
    for (let i = 0; i < CELLS; i++) {
      const rate = this.#canaryRates.requests[i]! * pairs;
      if (!(rate > 0)) continue;
      const usual = Math.max(0, this.#canaryRates.disagreements[i]! * pairs);
      const disagreeing = usual + harm.disagreements * (rate - usual);
      const disagreements = this.#draws.poisson(disagreeing);
      canary.disagreements[i]! += disagreements;
      canary.pairs[i]! += disagreements + this.#draws.poisson(rate - disagreeing);
    }
  }

  #serve(arm: ArmEvidence, rates: Rates, failing: number, slower: number, added = 0): void {
    const draws = this.#draws;
    for (let i = 0; i < CELLS; i++) {
      const rate = rates.requests[i]! * this.#requestsATick;
      // What is left of a caller who has fallen silent is a rounding error.
      if (!(rate > 1e-9)) continue;
      const usual = Math.min(rate, Math.max(0, rates.failures[i]! * this.#requestsATick * failing));
      const failed = usual + added * (rate - usual);
      const failures = draws.poisson(failed);
      const answered = draws.poisson(rate - failed);
      arm.requests[i]! += failures + answered;
      arm.failures[i]! += failures;
      if (answered === 0) continue;
      arm.answered[i]! += answered;
      const chance = Math.sqrt(answered) * REQUEST_SPREAD;
      arm.logUs[i]! += answered * (MODEL_LOG_US + slower + rates.slowness[i]! / rates.requests[i]!) + chance * draws.normal();
      const price = MODEL_NANO * (rates.dearness[i]! / rates.requests[i]!);
      arm.costNano[i]! += Math.max(0, price * (answered + chance * draws.normal()));
    }
  }
}

const MODEL_LOG_US = Math.log(20_000);
const MODEL_NANO = 5_000;

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum;
}
