import type { LeaseOffice, PlaceAsk, PlaceGrant, TokenAsk, TokenGrant, TokenReport } from '../../core/limits.ts';
import type { CapId } from '../../core/units.ts';
import type { LeaseAnswer, LeaseQuestion } from '../ipc/lease-messages.ts';
import type { SupervisorLine } from './supervisor-line.ts';

type Grant = TokenGrant | PlaceGrant;

/** The office for a worker in a process of its own: the ledgers are with the supervisor. */
export class RemoteLeaseOffice implements LeaseOffice {
  readonly #line: SupervisorLine;
  /** Asked and not answered. Whoever asked has long gone on when an answer takes its time; each bucket and cap has one ask at most. */
  readonly #asked = new Map<number, (grant: Grant) => void>();
  #last = 0;
  #recall: (cap: CapId, places: number) => void = () => undefined;

  constructor(line: SupervisorLine) {
    this.#line = line;
  }

  askTokens(ask: TokenAsk): Promise<TokenGrant> {
    return this.#ask({ is: 'tokens', ask }) as Promise<TokenGrant>;
  }

  reportTokens(report: TokenReport): void {
    this.#line.say({ is: 'lease-report', report });
  }

  askPlaces(ask: PlaceAsk): Promise<PlaceGrant> {
    return this.#ask({ is: 'places', ask }) as Promise<PlaceGrant>;
  }

  givePlaces(cap: CapId, places: number): void {
    this.#line.say({ is: 'lease-give', cap, places });
  }

  onRecall(listener: (cap: CapId, places: number) => void): void {
    this.#recall = listener;
  }

  hear(answer: LeaseAnswer): void {
    if (answer.is === 'lease-recall') {
      this.#recall(answer.cap, answer.places);
      return;
    }
    this.#asked.get(answer.id)?.(answer.grant);
    this.#asked.delete(answer.id);
  }

  #ask(question: LeaseQuestion): Promise<Grant> {
    const id = ++this.#last;
    this.#line.say({ is: 'lease-ask', id, question });
    return new Promise((resolve) => this.#asked.set(id, resolve));
  }
}
