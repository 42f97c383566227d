import { type AnswerForm, JSON_ANSWER } from './answer-form.ts';
import type { Pending } from './backend.ts';
import type { CacheResult } from './cache.ts';
import type { Timed } from './deadline-heap.ts';
import type { AnswerCheck, Codec, Exit, Head, Match } from './exchange.ts';
import { Reply } from './exchange.ts';
import type { FaultKind } from './faults.ts';
import { type InferenceRequest, type Prediction, type Tensor, Usage } from './inference.ts';
import type { Permit } from './limits.ts';
import type { FailedTryStory } from './request-story.ts';
import type { Rostered } from './roster.ts';
import type { Principal } from './tenant.ts';
import type { Route, Snapshot, Variant } from './traffic.ts';
import type { Millis, NanoUsd } from './units.ts';
import { Phase, Verdict } from './verdict.ts';

const NO_TRIES: readonly FailedTryStory[] = Object.freeze([]);

/** What keeps a caller on one variant, in the order in which the first present one is taken. */
export type StickySource = 'sequence' | 'header' | 'session' | 'tenant' | 'request';

/** Several answers to one request, on their way from a backend to its client. */
export interface Parts {
  /** None comes any more, and what they cost is known. */
  readonly over: boolean;
  /** Answers that the client was given. */
  readonly told: number;
  /** The attempt that they come by. */
  readonly source: unknown;
  /** Takes the next one. Its backend keeps the one after it until it is asked to go on. */
  offer(prediction: Prediction): void;
  /** The backend has told all. */
  end(): void;
  /** The backend failed; what was told before stays told. */
  fail(kind: FaultKind, detail: string): void;
  /** Lets the first of them go out; each is told when the one before has room behind it. */
  begin(): void;
  /** Ends them for a reason of the client or the clock. Idempotent. */
  abort(kind: FaultKind): void;
}

/**
 * Everything known about one request. Every field is set here, in this order and with its final type, so that all contexts share one
 * hidden class. Phases fill fields; they never add any.
 */
export class RequestContext implements Rostered, Timed {
  rosterAt = -1;
  heapAt = -1;
  readonly head: Head;
  readonly exit: Exit;
  readonly match: Match;
  readonly codec: Codec;
  /** Read once, when the request came. */
  readonly snapshot: Snapshot;
  readonly reply = new Reply();
  requestId = '';
  /** W3C trace context to pass on; empty when there is none. */
  traceparent = '';
  /** What tracing systems before this one have noted, to pass on with it. */
  tracestate = '';
  /** The span of this request, for its owner in telemetry alone. */
  span: unknown = null;
  // clocks
  startedMs: Millis = 0 as Millis;
  startedUs = 0;
  deadlineMs: Millis = 0 as Millis;
  /** The caller asked for less time than the model's config grants. */
  deadlineIsCallers = false;
  /**
   * Microseconds since `startedUs` at the end of each phase; 0 for a phase that did not run. A plain array of one place a phase: a typed
   * array of this length has its bytes outside the heap, and getting and freeing them cost more than all the rest of a context.
   */
  readonly marksUs: number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  // progress
  phase: Phase = Phase.Identify;
  /** Raised at every hand-over: an answer that comes with an old ticket is too late and dropped. */
  ticket = 0;
  gone = false;
  /** The exchange has ended; nobody will say so again. */
  exchangeClosed = false;
  // the body
  awaitsBody = false;
  bodyLimitBytes = 0;
  body: readonly Uint8Array[] = [];
  // found by the phases
  principal: Principal | null = null;
  request: InferenceRequest | null = null;
  /** How the caller wants its outputs written; of the exchange and not of the request, since it changes neither the work nor the answer. */
  answerForm: AnswerForm = JSON_ANSWER;
  /** Set by codecs that cannot say every answer. */
  answerCheck: AnswerCheck | null = null;
  route: Route | null = null;
  /** Unsigned 32-bit hash of the sticky key. */
  affinity = 0;
  /** What `affinity` was taken from. */
  stickyBy: StickySource = 'request';
  /** The plan was overridden by header or version, so cache and shadows stay out of it. */
  pinned = false;
  /** A pin of the plan chose the variant, and not chance: such a request says nothing about one variant beside another. */
  byPin = false;
  variant: Variant | null = null;
  /** The variant that really answered; differs from `variant` after a fallback. */
  answeredBy: Variant | null = null;
  /** What this request waits for now. */
  call: Pending | null = null;
  attempts = 0;
  /** A backend is at work for it, and has not answered: it is late when the deadline passes now. */
  awaitsBackend = false;
  /** Those that brought no answer; one array for all who have none. */
  failedTries: readonly FailedTryStory[] = NO_TRIES;
  /** What the backend gave, where guards of the model may have put other tensors in its place; null where it has none. */
  unguarded: readonly Tensor[] | null = null;
  /** Of several answers the one that is being looked at. */
  prediction: Prediction | null = null;
  /** The answers of a decoupled model, from the first on. */
  parts: Parts | null = null;
  cacheKey = '';
  cacheResult: CacheResult = 'bypass';
  /** Leads equal misses: others wait for what this request finds. */
  leads = false;
  flags: readonly string[] = [];
  // limits, for the reply's header fields; -1 when the limiter was not asked
  rateRemaining = -1;
  rateResetMs = 0;
  // held, to be given back exactly once
  heldBytes = 0;
  /** One of the places of this process. */
  place: Permit | null = null;
  /** One of the tenant's places. */
  tenantPlace: Permit | null = null;
  // the end
  fault: FaultKind | null = null;
  faultPhase: Phase = Phase.Identify;
  faultDetail = '';
  retryAfterMs = 0;
  cost: NanoUsd = 0 as NanoUsd;
  readonly usage = new Usage();

  constructor(head: Head, exit: Exit, match: Match, snapshot: Snapshot) {
    this.head = head;
    this.exit = exit;
    this.match = match;
    this.codec = match.codec;
    this.snapshot = snapshot;
  }

  /** Notes why the request is refused: `return ctx.refuse(Fault.RateLimited)`. */
  refuse(kind: FaultKind, detail = ''): Verdict {
    this.fault = kind;
    this.faultPhase = this.phase;
    this.faultDetail = detail;
    return Verdict.Refuse;
  }

  /** Says that `ctx.reply` is filled and nothing is to be asked of a backend. */
  answer(): Verdict {
    this.reply.ready = true;
    return Verdict.Answer;
  }
}

/** What earlier phases have proved; costs nothing at run time. */
export type Identified = RequestContext & { principal: Principal };
export type Decoded = Identified & { request: InferenceRequest };
export type Authorised = Decoded & { route: Route };
export type Placed = Authorised & { variant: Variant };
export type Inferred = Placed & { prediction: Prediction; answeredBy: Variant };
