import type { Clock } from '../core/clock.ts';
import type { LeaseOffice, PlaceAsk, PlaceGrant, TokenAsk, TokenGrant, TokenReport } from '../core/limits.ts';
import type { CapId } from '../core/units.ts';
import type { PlaceLedger } from './place-ledger.ts';
import type { RateLedger } from './rate-ledger.ts';

/** The ledgers, and how recalls reach each worker. */
export interface Ledgers {
  readonly rates: RateLedger;
  readonly places: PlaceLedger;
}

/** The office for a worker that lives in the same process as the ledgers. */
export class LocalLeaseOffice implements LeaseOffice {
  readonly #worker: number;
  readonly #ledgers: Ledgers;
  readonly #clock: Clock;

  constructor(worker: number, ledgers: Ledgers, clock: Clock) {
    this.#worker = worker;
    this.#ledgers = ledgers;
    this.#clock = clock;
  }

  askTokens(ask: TokenAsk): Promise<TokenGrant> {
    return Promise.resolve(this.#ledgers.rates.ask(this.#worker, ask, this.#clock.nowMs()));
  }

  reportTokens(report: TokenReport): void {
    this.#ledgers.rates.report(this.#worker, report, this.#clock.nowMs());
  }

  askPlaces(ask: PlaceAsk): Promise<PlaceGrant> {
    return new Promise((resolve) => this.#ledgers.places.ask(this.#worker, ask, resolve));
  }

  givePlaces(cap: CapId, places: number): void {
    this.#ledgers.places.give(this.#worker, cap, places);
  }

  onRecall(listener: (cap: CapId, places: number) => void): void {
    this.#ledgers.places.onRecall(this.#worker, listener);
  }
}
