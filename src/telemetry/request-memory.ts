import type { RequestContext, StickySource } from '../core/context.ts';
import type { FaultKind } from '../core/faults.ts';
import type { FailedTryStory, RequestStory } from '../core/request-story.ts';
import type { Variant } from '../core/traffic.ts';
import { Phase } from '../core/verdict.ts';
import { MAX_TEXT, owned, type RequestKind } from './request-kind.ts';
import { storyOf } from './request-story.ts';

/** Stories told of one id: callers may send the same id again and again. */
const MAX_STORIES = 10;
/** No request id that a caller may choose is longer. */
const ID_BYTES = 64;
const TRACE_ID_BYTES = 32;
const TRACE_ID_AT = 3;
const TEXT_BYTES = ID_BYTES + TRACE_ID_BYTES;

/** Where each number of a request stands; its marks come after them. */
const Slot = {
  WallMs: 0,
  DurationUs: 1,
  PlanRevision: 2,
  WeightBp: 3,
  Sticky: 4,
  Pinned: 5,
  ByPin: 6,
  Gone: 7,
  Attempts: 8,
  Status: 9,
  Rows: 10,
  InputBytes: 11,
  OutputBytes: 12,
  Cost: 13,
  RateRemaining: 14,
  Marks: 15,
} as const;
const NUMBERS = Slot.Marks + Phase.Done;

const STICKY: readonly StickySource[] = ['sequence', 'header', 'session', 'tenant', 'request'];
const NO_TEXTS: readonly string[] = Object.freeze([]);
const NO_TRIES: readonly FailedTryStory[] = Object.freeze([]);

/** What most requests leave nothing of. */
interface Trouble {
  readonly fault: FaultKind | null;
  readonly faultPhase: Phase;
  readonly faultDetail: string;
  readonly failedTries: readonly FailedTryStory[];
  readonly flags: readonly string[];
}

const NO_TROUBLE: Trouble = Object.freeze({
  fault: null,
  faultPhase: Phase.Identify,
  faultDetail: '',
  failedTries: NO_TRIES,
  flags: NO_TEXTS,
});

/** One finished request, as its story is told. */
export interface Remembered extends Trouble {
  readonly kind: RequestKind;
  /** Empty for a stranger. */
  readonly keyId: string;
  readonly requestId: string;
  readonly traceId: string;
  readonly wallMs: number;
  readonly durationUs: number;
  readonly planRevision: number;
  readonly weightBp: number;
  readonly stickyBy: StickySource;
  readonly pinned: boolean;
  readonly byPin: boolean;
  readonly gone: boolean;
  readonly attempts: number;
  readonly status: number;
  readonly rows: number;
  readonly inputBytes: number;
  readonly outputBytes: number;
  readonly cost: number;
  readonly rateRemaining: number;
  readonly marksUs: Float64Array;
}

/**
 * The last requests of this process, so that one can be explained after its end. Bounded by their number. They are kept as numbers and
 * bytes in places made beforehand: an object for each would be old when its fields are set, and whatever young thing an old object points
 * to the collector has to look for, copy twice and bury. What many have in common they share.
 */
export class RequestMemory {
  readonly #size: number;
  /** In the order of `Slot`, request after request. */
  readonly #numbers: Float64Array;
  /** Request id and trace id in Latin-1, each ended by a zero where it is shorter than its room. */
  readonly #texts: Buffer;
  readonly #kinds: (RequestKind | null)[];
  /** The config's own texts. */
  readonly #keyIds: string[];
  readonly #troubles: Trouble[];
  #next = 0;

  /** 0 remembers none. */
  constructor(size: number) {
    this.#size = size;
    this.#numbers = new Float64Array(size * NUMBERS);
    this.#texts = Buffer.alloc(size * TEXT_BYTES);
    this.#kinds = new Array<RequestKind | null>(size).fill(null);
    this.#keyIds = new Array<string>(size).fill('');
    this.#troubles = new Array<Trouble>(size).fill(NO_TROUBLE);
  }

  /** @hot */
  note(ctx: RequestContext, kind: RequestKind, durationUs: number, wallMs: number): void {
    // Probes would push everything else out.
    if (this.#size === 0 || ctx.match.open) return;
    const place = this.#next;
    this.#next = place + 1 === this.#size ? 0 : place + 1;
    this.#kinds[place] = kind;
    this.#keyIds[place] = ctx.principal === null ? '' : ctx.principal.keyId;
    const trouble = troubleOf(ctx);
    if (this.#troubles[place] !== trouble) this.#troubles[place] = trouble;
    noteText(this.#texts, place * TEXT_BYTES, ctx.requestId, ID_BYTES);
    const traceId = ctx.traceparent === '' ? '' : ctx.traceparent.slice(TRACE_ID_AT, TRACE_ID_AT + TRACE_ID_BYTES);
    noteText(this.#texts, place * TEXT_BYTES + ID_BYTES, traceId, TRACE_ID_BYTES);
    const at = place * NUMBERS;
    this.#numbers[at + Slot.WallMs] = wallMs;
    this.#numbers[at + Slot.DurationUs] = durationUs;
    noteNumbers(this.#numbers, at, ctx);
  }

  /** Newest first; none when it was never here, or was pushed out by later ones. */
  find(requestId: string): readonly RequestStory[] {
    const wanted = Buffer.from(requestId.slice(0, ID_BYTES), 'latin1');
    if (wanted.length === 0) return [];
    const stories: RequestStory[] = [];
    for (let back = 1; back <= this.#size && stories.length < MAX_STORIES; back++) {
      const place = (this.#next - back + this.#size) % this.#size;
      const kind = this.#kinds[place];
      if (kind === null || kind === undefined) break;
      if (this.#isOf(place, wanted)) stories.push(storyOf(this.#remembered(place, kind)));
    }
    return stories;
  }

  #isOf(place: number, wanted: Uint8Array): boolean {
    const at = place * TEXT_BYTES;
    for (let i = 0; i < wanted.length; i++) {
      if (this.#texts[at + i] !== wanted[i]) return false;
    }
    return wanted.length === ID_BYTES || this.#texts[at + wanted.length] === 0;
  }

  #remembered(place: number, kind: RequestKind): Remembered {
    const at = place * NUMBERS;
    const numbers = this.#numbers.subarray(at, at + NUMBERS);
    const text = place * TEXT_BYTES;
    return {
      ...this.#troubles[place]!,
      kind,
      keyId: this.#keyIds[place]!,
      requestId: textOf(this.#texts, text, ID_BYTES),
      traceId: textOf(this.#texts, text + ID_BYTES, TRACE_ID_BYTES),
      wallMs: numbers[Slot.WallMs]!,
      durationUs: numbers[Slot.DurationUs]!,
      planRevision: numbers[Slot.PlanRevision]!,
      weightBp: numbers[Slot.WeightBp]!,
      stickyBy: STICKY[numbers[Slot.Sticky]!]!,
      pinned: numbers[Slot.Pinned] === 1,
      byPin: numbers[Slot.ByPin] === 1,
      gone: numbers[Slot.Gone] === 1,
      attempts: numbers[Slot.Attempts]!,
      status: numbers[Slot.Status]!,
      rows: numbers[Slot.Rows]!,
      inputBytes: numbers[Slot.InputBytes]!,
      outputBytes: numbers[Slot.OutputBytes]!,
      cost: numbers[Slot.Cost]!,
      rateRemaining: numbers[Slot.RateRemaining]!,
      marksUs: numbers.subarray(Slot.Marks),
    };
  }
}

function noteNumbers(numbers: Float64Array, at: number, ctx: RequestContext): void {
  const { route, variant, usage, marksUs } = ctx;
  numbers[at + Slot.PlanRevision] = route === null ? 0 : route.plan.revision;
  numbers[at + Slot.WeightBp] =
    route === null || variant === null ? 0 : weightIn(route.plan.variants, route.plan.weights, variant);
  numbers[at + Slot.Sticky] = STICKY.indexOf(ctx.stickyBy);
  numbers[at + Slot.Pinned] = ctx.pinned ? 1 : 0;
  numbers[at + Slot.ByPin] = ctx.byPin ? 1 : 0;
  numbers[at + Slot.Gone] = ctx.gone ? 1 : 0;
  numbers[at + Slot.Attempts] = ctx.attempts;
  numbers[at + Slot.Status] = ctx.fault === null ? ctx.reply.status : ctx.fault.http;
  numbers[at + Slot.Rows] = usage.rows;
  numbers[at + Slot.InputBytes] = usage.inputBytes;
  numbers[at + Slot.OutputBytes] = usage.outputBytes;
  numbers[at + Slot.Cost] = ctx.cost;
  numbers[at + Slot.RateRemaining] = ctx.rateRemaining;
  for (let phase = 0; phase < Phase.Done; phase++) numbers[at + Slot.Marks + phase] = marksUs[phase]!;
}

function weightIn(variants: readonly Variant[], weights: readonly number[], variant: Variant): number {
  const index = variants.indexOf(variant);
  return index < 0 ? 0 : weights[index]!;
}

function troubleOf(ctx: RequestContext): Trouble {
  const { fault, faultPhase, failedTries, flags } = ctx;
  if (fault === null && failedTries.length === 0 && flags.length === 0) return NO_TROUBLE;
  return { fault, faultPhase, faultDetail: owned(ctx.faultDetail, MAX_TEXT), failedTries, flags };
}

/** Ids and trace ids are ASCII: whatever else callers send in their place was replaced before. */
function noteText(texts: Buffer, at: number, text: string, limit: number): void {
  const size = text === '' ? 0 : texts.write(text, at, limit, 'latin1');
  if (size < limit) texts[at + size] = 0;
}

function textOf(texts: Buffer, at: number, limit: number): string {
  const end = texts.indexOf(0, at);
  return texts.toString('latin1', at, end < 0 || end > at + limit ? at + limit : end);
}
