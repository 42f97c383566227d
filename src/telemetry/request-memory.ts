import type { RequestContext, StickySource } from '../core/context.ts';
import type { FaultKind } from '../core/faults.ts';
import type { FailedTryStory, RequestStory } from '../core/request-story.ts';
import type { Variant } from '../core/traffic.ts';
import { Phase } from '../core/verdict.ts';
import { storyOf } from './request-story.ts';

/** Stories told of one id: callers may send the same id again and again. */
const MAX_STORIES = 10;
/** Characters kept of what callers may make long. */
const MAX_TEXT = 200;

/** One finished request, in a place that is used again for a later one. Texts and numbers alone: nothing here keeps a body alive. */
export class Remembered {
  requestId = '';
  wallMs = 0;
  durationUs = 0;
  traceparent = '';
  face = '';
  method = '';
  path = '';
  codec = '';
  tenant = '';
  keyId = '';
  model = '';
  variant = '';
  answeredBy = '';
  planRevision = 0;
  weightBp = 0;
  pinned = false;
  byPin = false;
  stickyBy: StickySource = 'request';
  cache = '';
  attempts = 0;
  failedTries: readonly FailedTryStory[] = [];
  flags: readonly string[] = NONE;
  fault: FaultKind | null = null;
  faultPhase: Phase = Phase.Identify;
  faultDetail = '';
  gone = false;
  status = 0;
  rows = 0;
  inputBytes = 0;
  outputBytes = 0;
  cost = 0;
  rateRemaining = -1;
  readonly marksUs = new Float64Array(Phase.Done);
}

const NONE: readonly string[] = Object.freeze([]);

/** The last requests of this process, so that one can be explained after its end. Bounded by their number. */
export class RequestMemory {
  readonly #places: Remembered[];
  #next = 0;

  /** 0 remembers none. */
  constructor(size: number) {
    this.#places = Array.from({ length: size }, () => new Remembered());
  }

  /** Copies some thirty fields into a place made beforehand. @hot */
  note(ctx: RequestContext, durationUs: number, wallMs: number): void {
    const { length } = this.#places;
    // Probes would push everything else out.
    if (length === 0 || ctx.match.open) return;
    const place = this.#places[this.#next]!;
    this.#next = this.#next + 1 === length ? 0 : this.#next + 1;
    noteWho(place, ctx);
    notePlacement(place, ctx);
    place.durationUs = durationUs;
    place.wallMs = wallMs;
    place.attempts = ctx.attempts;
    place.failedTries = ctx.failedTries;
    place.flags = ctx.flags;
    place.fault = ctx.fault;
    place.faultPhase = ctx.faultPhase;
    place.faultDetail = clipped(ctx.faultDetail);
    place.gone = ctx.gone;
    place.status = ctx.fault === null ? ctx.reply.status : ctx.fault.http;
    place.rows = ctx.usage.rows;
    place.inputBytes = ctx.usage.inputBytes;
    place.outputBytes = ctx.usage.outputBytes;
    place.cost = ctx.cost;
    place.rateRemaining = ctx.rateRemaining;
    for (let phase = 0; phase < Phase.Done; phase++) place.marksUs[phase] = ctx.marksUs[phase]!;
  }

  /** Newest first; none when it was never here, or was pushed out by later ones. */
  find(requestId: string): readonly RequestStory[] {
    if (requestId === '') return [];
    return this.#places
      .filter((place) => place.requestId === requestId)
      .sort((a, b) => b.wallMs - a.wallMs)
      .slice(0, MAX_STORIES)
      .map(storyOf);
  }
}

function noteWho(place: Remembered, ctx: RequestContext): void {
  const { head, principal } = ctx;
  place.requestId = ctx.requestId;
  place.traceparent = ctx.traceparent;
  place.face = head.face;
  place.method = head.method;
  place.path = clipped(head.path);
  place.codec = ctx.codec.name;
  place.tenant = principal === null ? '' : principal.tenant.id;
  place.keyId = principal === null ? '' : principal.keyId;
}

function notePlacement(place: Remembered, ctx: RequestContext): void {
  const { route, variant, answeredBy } = ctx;
  place.model = route === null ? '' : route.model;
  place.variant = variant === null ? '' : variant.name;
  place.answeredBy = answeredBy === null || ctx.fault !== null ? '' : answeredBy.name;
  place.planRevision = route === null ? 0 : route.plan.revision;
  place.weightBp = route === null || variant === null ? 0 : weightIn(route.plan.variants, route.plan.weights, variant);
  place.pinned = ctx.pinned;
  place.byPin = ctx.byPin;
  place.stickyBy = ctx.stickyBy;
  place.cache = ctx.cacheResult;
}

function weightIn(variants: readonly Variant[], weights: readonly number[], variant: Variant): number {
  const index = variants.indexOf(variant);
  return index < 0 ? 0 : weights[index]!;
}

/** Copied through bytes: what V8 slices off a text keeps all of it alive, and callers send URLs of 16 KB. */
const clipped = (text: string): string =>
  text.length > MAX_TEXT ? Buffer.from(text.slice(0, MAX_TEXT), 'utf16le').toString('utf16le') : text;
