import type { Endpoint } from './endpoint.ts';
import type { EndpointTable } from './endpoint-table.ts';
import { rendezvous } from './rendezvous.ts';

/** Draws for a first candidate before one in its slow start is taken as it comes. */
const MAX_DRAWS = 8;

/** Which endpoint the next call goes to. */
export class EndpointChoice {
  readonly #table: EndpointTable;
  readonly #random: () => number;

  constructor(table: EndpointTable, random: () => number) {
    this.#table = table;
    this.#random = random;
  }

  /**
   * In this order: for a call that is free to go anywhere one in probation, since nothing else brings it back; the takers; where there are
   * none those whose probes fail, since all of them failing may be the fault of the probes; and where there is nothing else one in
   * probation, whatever its probes say. Null when there is none. @hot
   */
  pick(affinity: number, avoid: string, nowMs: number): Endpoint | null {
    const table = this.#table;
    if (nowMs >= table.nextDueMs) table.sort(nowMs);
    if (table.trials.length > 0 && affinity === 0 && avoid === '') {
      const trial = this.#trial('', nowMs, true);
      if (trial !== null) return trial;
    }
    const taker = this.#among(table.takers, affinity, avoid, nowMs);
    if (taker !== null) return taker;
    const suspect = this.#among(table.suspects, affinity, avoid, nowMs);
    if (suspect !== null) return suspect;
    return table.trials.length === 0 ? null : this.#trial(avoid, nowMs, false);
  }

  /** Whether `pick` has one for a call that avoids this one. @hot */
  hasOther(avoid: string, nowMs: number): boolean {
    const table = this.#table;
    if (nowMs >= table.nextDueMs) table.sort(nowMs);
    return isThereOther(table.takers, avoid) || isThereOther(table.suspects, avoid) || this.#trial(avoid, nowMs, false) !== null;
  }

  #among(endpoints: readonly Endpoint[], affinity: number, avoid: string, nowMs: number): Endpoint | null {
    if (endpoints.length === 0) return null;
    if (affinity !== 0) return rendezvous(endpoints, affinity, avoid);
    return avoid === '' ? this.#twoChoices(endpoints, nowMs) : cheapest(endpoints, avoid, nowMs);
  }

  #trial(avoid: string, nowMs: number, probeMustBeGood: boolean): Endpoint | null {
    const { trials } = this.#table;
    for (let i = 0; i < trials.length; i++) {
      const endpoint = trials[i]!;
      const { standing } = endpoint;
      if (standing.is !== 'probation' || standing.trialUntilMs > nowMs || endpoint.label === avoid) continue;
      if (!probeMustBeGood || endpoint.probes.lastGood) return endpoint;
    }
    return null;
  }

  /**
   * The cheaper of two that chance picks: nearly as even as looking at all of them, and callers who decide at the same moment do not all
   * rush to the same one. One in its slow start is a candidate in proportion to its weight.
   */
  #twoChoices(endpoints: readonly Endpoint[], nowMs: number): Endpoint {
    const count = endpoints.length;
    let first = this.#index(count);
    for (let draws = 1; draws < MAX_DRAWS && !this.#accepts(endpoints[first]!, nowMs); draws++) first = this.#index(count);
    const one = endpoints[first]!;
    if (count === 1) return one;
    const second = this.#index(count - 1);
    const other = endpoints[second < first ? second : second + 1]!;
    if (!this.#accepts(other, nowMs)) return one;
    return other.cost(nowMs) < one.cost(nowMs) ? other : one;
  }

  #accepts(endpoint: Endpoint, nowMs: number): boolean {
    const weight = endpoint.weight(nowMs);
    return weight === 1 || this.#random() < weight;
  }

  /** A whole number below `count`, also for a source that says 1. */
  #index(count: number): number {
    return Math.min(count - 1, Math.floor(this.#random() * count));
  }
}

function isThereOther(endpoints: readonly Endpoint[], avoid: string): boolean {
  for (let i = 0; i < endpoints.length; i++) if (endpoints[i]!.label !== avoid) return true;
  return false;
}

/** For a second try, which is rare and has already lost time. */
function cheapest(endpoints: readonly Endpoint[], avoid: string, nowMs: number): Endpoint | null {
  let found: Endpoint | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < endpoints.length; i++) {
    const endpoint = endpoints[i]!;
    if (endpoint.label === avoid) continue;
    const cost = endpoint.cost(nowMs);
    if (cost >= least) continue;
    least = cost;
    found = endpoint;
  }
  return found;
}
