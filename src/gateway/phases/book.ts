import { costOf } from '../../accounting/cost-meter.ts';
import { estimatedTokens } from '../../accounting/token-estimate.ts';
import { cacheEntryOf } from '../../cache/cache-entry.ts';
import type { CacheStore } from '../../core/cache.ts';
import type { Clock } from '../../core/clock.ts';
import type { Inferred, RequestContext } from '../../core/context.ts';
import type { EvidenceBook } from '../../core/evidence.ts';
import { Fault, type FaultKind, GatewayError } from '../../core/faults.ts';
import type { UsageBook } from '../../core/money.ts';
import { millis } from '../../core/units.ts';
import { type Maybe, Phase, Verdict } from '../../core/verdict.ts';
import { noteEvidence } from '../evidence-note.ts';
import type { Stage } from '../lifecycle.ts';
import { keyFor, type Recall } from './recall.ts';

export interface BookOptions {
  readonly clock: Clock;
  readonly store: CacheStore;
  readonly recall: Recall;
  readonly usage: UsageBook;
  readonly evidence: EvidenceBook;
}

/** Settles what the request cost and what others gain from it, before the last byte leaves. */
export class Book implements Stage {
  readonly #o: BookOptions;

  constructor(options: BookOptions) {
    this.#o = options;
  }

  /** @hot */
  run(ctx: RequestContext): Maybe<Verdict> {
    if (ctx.route === null || ctx.principal === null) return Verdict.Next;
    // Several answers are booked when the last of them has left.
    if (ctx.parts !== null && !ctx.parts.over) return Verdict.Next;
    if (ctx.fault !== null) this.#fail(ctx, ctx.fault);
    else {
      this.#keep(ctx as Inferred);
      const refusal = refusalOf(ctx);
      if (typeof refusal !== 'string') return this.#closeLate(ctx, refusal);
      if (refusal !== '') ctx.refuse(Fault.NotSupported, refusal);
    }
    return this.#close(ctx);
  }

  async #closeLate(ctx: RequestContext, refusal: Promise<string>): Promise<Verdict> {
    try {
      const found = await refusal;
      if (found !== '') ctx.refuse(Fault.NotSupported, found);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      ctx.refuse(error.kind, error.detail);
    }
    return this.#close(ctx);
  }

  #close(ctx: RequestContext): Verdict {
    this.#settle(ctx);
    this.#note(ctx);
    noteEvidence(this.#o.evidence, ctx);
    return Verdict.Next;
  }

  #keep(ctx: Inferred): void {
    if (ctx.cacheResult !== 'miss' || ctx.cacheKey === '') return;
    const expiresMs = millis(this.#o.clock.nowMs() + ctx.route.cacheTtlMs);
    const { maxEntryBytes } = this.#o.store;
    const origin = {
      model: ctx.route.model,
      variant: ctx.answeredBy.name,
      expiresMs,
      maxBytes: maxEntryBytes,
      keyChars: ctx.cacheKey.length,
    };
    const entry = cacheEntryOf(ctx.prediction, origin);
    // After a fallback the entry belongs to stable: kept under the canary's key it would outlive the canary's outage.
    const key = ctx.answeredBy === ctx.variant ? ctx.cacheKey : keyFor(ctx, ctx.answeredBy);
    this.#o.store.set(key, entry);
    this.#o.recall.land(ctx, entry);
  }

  #fail(ctx: RequestContext, kind: FaultKind): void {
    const own = kind === Fault.ClientGone || kind === Fault.DeadlineOver || kind === Fault.BackendTimeout;
    this.#o.recall.fail(ctx, kind, ctx.faultDetail, !own);
  }

  /** Adds to what the variant tells of itself. */
  #note(ctx: RequestContext): void {
    const variant = ctx.answeredBy ?? ctx.variant;
    if (variant === null) return;
    const { statistics } = variant.state;
    const totalUs = this.#o.clock.nowUs() - ctx.startedUs;
    if (ctx.fault !== null || ctx.answeredBy === null) statistics.fail.add(totalUs);
    else if (ctx.cacheResult === 'hit' || ctx.cacheResult === 'shared') {
      statistics.recalled(totalUs, this.#o.clock.wallMs());
    } else {
      const inferUs = ctx.marksUs[Phase.Infer]! - ctx.marksUs[Phase.Recall]!;
      statistics.answered(ctx.usage, inferUs, totalUs, this.#o.clock.wallMs());
    }
  }

  #settle(ctx: RequestContext): void {
    const variant = ctx.answeredBy ?? ctx.variant;
    const cacheHit = ctx.cacheResult === 'hit' || ctx.cacheResult === 'shared';
    if (ctx.parts !== null) {
      // What was told has been used, however it ended.
      if (ctx.parts.told > 0 || ctx.fault === null) ctx.cost = costOf(ctx.answeredBy!.price, ctx.usage, false);
    } else if (ctx.fault === null && ctx.answeredBy !== null) {
      const outputs = ctx.prediction!.outputs;
      for (let i = 0; i < outputs.length; i++) ctx.usage.outputBytes += outputs[i]!.data.length;
      if (!cacheHit) countTokens(ctx as Inferred);
      ctx.cost = costOf(ctx.answeredBy.price, ctx.usage, cacheHit);
    }
    this.#o.usage.book({
      tenant: ctx.principal!.tenant.id,
      model: ctx.route!.model,
      variant: variant === null ? '' : variant.name,
      priceVersion: variant === null ? '' : variant.price.version,
      cacheHit,
      // A leader whose client left did work that is paid for, but its own request got no answer.
      failed: ctx.fault !== null || ctx.gone,
      cost: ctx.cost,
      usage: ctx.usage,
    });
  }
}

/** After the answer was kept, since it is right and others may have asked in other words; before it is settled, since nobody pays for it. */
function refusalOf(ctx: RequestContext): Maybe<string> {
  // Of several answers each was asked about as it was told.
  if (ctx.answerCheck === null || ctx.prediction === null || ctx.parts !== null) return '';
  return ctx.answerCheck.refusal(ctx);
}

/** Every text is walked for it, so it is done only where a token has a price. */
function countTokens(ctx: Inferred): void {
  const { price } = ctx.answeredBy;
  if (price.perInputToken > 0) ctx.usage.inputTokens = estimatedTokens(ctx.request.inputs);
  if (price.perOutputToken > 0) ctx.usage.outputTokens = estimatedTokens(ctx.prediction.outputs);
}
