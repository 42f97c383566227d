import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../../config/schema.ts';
import type { Clock } from '../../core/clock.ts';
import type { BucketId } from '../../core/units.ts';
import { type Ledgers, LocalLeaseOffice } from '../../limits/local-lease-office.ts';
import type { LeaseAnswer, LeaseMessage } from '../ipc/lease-messages.ts';
import { buildLedgers, configureLedgers } from '../leases.ts';

/** One worker's counter at the desk. */
export interface LeaseCounter {
  hear(message: LeaseMessage): void;
  /** The worker is no more, and with it all that it had in flight. */
  close(): void;
}

/** Where workers borrow tokens and places: the ledgers of one list of tenants. */
export class LeaseDesk {
  readonly #ledgers: Ledgers;
  readonly #clock: Clock;
  readonly #tenants: Config['tenants'];
  readonly #open = new Set<number>();
  #last = 0;

  constructor(config: Config, clock: Clock) {
    this.#clock = clock;
    this.#tenants = config.tenants;
    this.#ledgers = buildLedgers(config, () => this.#open.size);
  }

  /**
   * The desk for a changed config: the same one where it has the same tenants in the same order, since ledgers know them by their place.
   * What tenants have used up stays used up then, under whatever limits they have from now on; another desk inherits it.
   */
  under(config: Config): LeaseDesk {
    const ids = ({ tenants }: { readonly tenants: Config['tenants'] }): string[] => tenants.map(({ id }) => id);
    return isDeepStrictEqual(ids({ tenants: this.#tenants }), ids(config)) ? this : new LeaseDesk(config, this.#clock);
  }

  /** Limits as they are from now on. */
  configure(config: Config): void {
    configureLedgers(this.#ledgers, config);
  }

  /** What tenants have used up at a former desk is used up here too: their places in the list are others, they are the same. */
  inherit(former: LeaseDesk): void {
    const nowMs = this.#clock.nowMs();
    this.#tenants.forEach(({ id }, t) => {
      const before = former.#tenants.findIndex((tenant) => tenant.id === id);
      if (before >= 0) this.#ledgers.rates.burden(t as BucketId, former.#ledgers.rates.taken(before as BucketId, nowMs), nowMs);
    });
  }

  open(tell: (answer: LeaseAnswer) => void): LeaseCounter {
    const worker = ++this.#last;
    this.#open.add(worker);
    const office = new LocalLeaseOffice(worker, this.#ledgers, this.#clock);
    office.onRecall((cap, places) => tell({ is: 'lease-recall', cap, places }));
    return {
      hear: (message) => hear(office, message, tell),
      close: () => {
        this.#open.delete(worker);
        this.#ledgers.rates.forget(worker, this.#clock.nowMs());
        this.#ledgers.places.forget(worker);
      },
    };
  }
}

function hear(office: LocalLeaseOffice, message: LeaseMessage, tell: (answer: LeaseAnswer) => void): void {
  switch (message.is) {
    case 'lease-ask': {
      const { id, question } = message;
      const grant = question.is === 'tokens' ? office.askTokens(question.ask) : office.askPlaces(question.ask);
      void grant.then((granted) => tell({ is: 'lease-grant', id, grant: granted }));
      return;
    }
    case 'lease-report':
      office.reportTokens(message.report);
      return;
    case 'lease-give':
      office.givePlaces(message.cap, message.places);
      return;
    default:
      message satisfies never;
  }
}
