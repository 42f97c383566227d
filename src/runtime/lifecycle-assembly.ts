import type { Flights } from '../cache/flights.ts';
import type { CacheStore } from '../core/cache.ts';
import type { Clock } from '../core/clock.ts';
import type { RequestContext } from '../core/context.ts';
import { Deadlines } from '../core/deadlines.ts';
import type { EvidenceBook } from '../core/evidence.ts';
import type { ByteBudget, RateLimiter } from '../core/limits.ts';
import type { UsageBook } from '../core/money.ts';
import type { Observer, Tally } from '../core/observer.ts';
import { SYSTEM_TIMING } from '../core/timing.ts';
import { Lifecycle } from '../gateway/lifecycle.ts';
import { Admit } from '../gateway/phases/admit.ts';
import { Authorise } from '../gateway/phases/authorise.ts';
import { Book } from '../gateway/phases/book.ts';
import { Decode } from '../gateway/phases/decode.ts';
import { Identify } from '../gateway/phases/identify.ts';
import { Infer } from '../gateway/phases/infer.ts';
import { InspectInput, InspectOutput } from '../gateway/phases/inspect.ts';
import { Place } from '../gateway/phases/place.ts';
import { Recall } from '../gateway/phases/recall.ts';
import { Release } from '../gateway/phases/release.ts';
import { WriteReply } from '../gateway/phases/reply.ts';
import type { LocalConcurrencyCap } from '../limits/concurrency.ts';
import type { Pressure } from '../limits/pressure.ts';
import type { Copies } from '../router/copies/copies.ts';
import type { SequenceIds } from '../router/sequence-ids.ts';

/** The mechanisms that the phases bring together. */
export interface Mechanisms {
  readonly clock: Clock;
  readonly limiter: RateLimiter;
  readonly processCap: LocalConcurrencyCap;
  readonly bytes: ByteBudget;
  readonly maxBodyBytes: number;
  readonly pressure: Pressure;
  readonly store: CacheStore;
  readonly flights: Flights;
  readonly maxCachedRequestBytes: number;
  readonly usage: UsageBook;
  readonly copies: Copies;
  readonly evidence: EvidenceBook;
  readonly sequences: SequenceIds;
  readonly observer: Observer;
  readonly tally: Tally;
  readonly onLost: (error: unknown) => void;
}

/** Builds the phases and the lifecycle that drives them. */
export function buildLifecycle(m: Mechanisms): { lifecycle: Lifecycle; admit: Admit } {
  const { clock, bytes, store, flights, observer } = m;
  // Infer, Recall and the deadline carry requests on, so they need the lifecycle that is built from them.
  const late = (): Lifecycle => lifecycle;
  const admit = new Admit(m);
  const recall = new Recall({ clock, store, flights, maxRequestBytes: m.maxCachedRequestBytes, lifecycle: late });
  const deadlines = new Deadlines<RequestContext>({ ...SYSTEM_TIMING, clock }, (ctx) => lifecycle.abort(ctx, false));
  const release = new Release({ bytes, observer, recall, deadlines });
  const inspectOutput = new InspectOutput();
  const book = new Book({ clock, store, recall, usage: m.usage, evidence: m.evidence });
  const parting = { inspect: inspectOutput, book, lifecycle: late, onLost: m.onLost };
  const lifecycle = new Lifecycle(
    {
      identify: new Identify(clock),
      admit,
      decode: new Decode(),
      authorise: new Authorise(clock, deadlines),
      inspectInput: new InspectInput(),
      place: new Place(m.sequences),
      recall,
      infer: new Infer({ clock, tally: m.tally, lifecycle: late, parting }),
      inspectOutput,
      book,
      reply: new WriteReply(m.copies, admit),
      release: (ctx) => release.run(ctx),
      hasFollowers: (ctx) => recall.hasFollowers(ctx),
    },
    () => clock.nowUs(),
    m.onLost,
  );
  return { lifecycle, admit };
}
