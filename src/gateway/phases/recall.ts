import { cacheKey } from '../../cache/cache-key.ts';
import type { Flights, SharedFault, Waiter } from '../../cache/flights.ts';
import type { Pending } from '../../core/backend.ts';
import type { CacheEntry, CacheResult, CacheStore } from '../../core/cache.ts';
import type { Clock } from '../../core/clock.ts';
import type { Placed, RequestContext } from '../../core/context.ts';
import { totalBytes } from '../../core/detached.ts';
import type { FaultKind } from '../../core/faults.ts';
import type { Variant } from '../../core/traffic.ts';
import { Verdict } from '../../core/verdict.ts';
import type { Lifecycle, Stage } from '../lifecycle.ts';

export interface RecallOptions {
  readonly clock: Clock;
  readonly store: CacheStore;
  readonly flights: Flights;
  /** Requests with more bytes of input have no key: digesting them would hold up all others. */
  readonly maxRequestBytes: number;
  /** Late-bound: the lifecycle is built from its phases. */
  readonly lifecycle: () => Lifecycle;
}

/** Is the answer in memory, or is an equal request finding it just now? */
export class Recall implements Stage<Placed> {
  readonly #o: RecallOptions;
  /** Who leads the equal misses of a key, so that a leader nobody waits for any more can be told. */
  readonly #leaders = new Map<string, RequestContext>();

  constructor(options: RecallOptions) {
    this.#o = options;
  }

  /** @hot */
  run(ctx: Placed): Verdict {
    if (ctx.route.cacheTtlMs === 0 || ctx.pinned || ctx.request.sequenceId !== '') return Verdict.Next;
    // Several answers are told as they come and kept nowhere.
    if (ctx.route.contract!.signature.decoupled) return Verdict.Next;
    const control = ctx.head.header('cache-control').toLowerCase();
    if (control.includes('no-store')) return Verdict.Next;
    if (totalBytes(ctx.request.inputs) > this.#o.maxRequestBytes) return Verdict.Next;
    ctx.cacheKey = keyFor(ctx, ctx.variant);
    ctx.cacheResult = 'miss';
    // no-cache asks for a fresh answer, which may then be kept for others.
    if (control.includes('no-cache')) return Verdict.Next;
    const entry = this.#o.store.get(ctx.cacheKey, this.#o.clock.nowMs());
    if (entry !== null) return recalled(ctx, entry, 'hit');
    return this.#join(ctx);
  }

  /** Whether others wait for what `ctx` finds. */
  hasFollowers(ctx: RequestContext): boolean {
    return ctx.leads && this.#o.flights.waiting(ctx.cacheKey) > 0;
  }

  /** The leader has an answer: everyone who waits gets it. */
  land(ctx: RequestContext, entry: CacheEntry): void {
    if (!this.#giveUpLead(ctx)) return;
    this.#o.flights.land(ctx.cacheKey, entry);
  }

  /** The leader has none. A fault of the work itself is shared; a reason of the leader's own hands the lead to the next. */
  fail(ctx: RequestContext, kind: FaultKind, detail: string, shared: boolean): void {
    if (!this.#giveUpLead(ctx)) return;
    if (shared) this.#o.flights.fail(ctx.cacheKey, { kind, detail, retryAfterMs: ctx.retryAfterMs });
    else this.#o.flights.handOver(ctx.cacheKey);
  }

  #join(ctx: Placed): Verdict {
    const follower = new Follower(this, ctx);
    const part = this.#o.flights.join(ctx.cacheKey, follower);
    if (part === 'leads') this.lead(ctx);
    if (part !== 'waits') return Verdict.Next;
    ctx.call = follower;
    return Verdict.Park;
  }

  lead(ctx: RequestContext): void {
    ctx.leads = true;
    this.#leaders.set(ctx.cacheKey, ctx);
  }

  /** For one who was promoted when it had ended already. */
  passOn(ctx: RequestContext): void {
    this.#o.flights.handOver(ctx.cacheKey);
  }

  #giveUpLead(ctx: RequestContext): boolean {
    if (!ctx.leads) return false;
    ctx.leads = false;
    this.#leaders.delete(ctx.cacheKey);
    return true;
  }

  resume(ctx: RequestContext, ticket: number, verdict: Verdict): void {
    this.#o.lifecycle().resume(ctx, ticket, verdict);
  }

  leave(ctx: RequestContext, follower: Follower): void {
    this.#o.flights.leave(ctx.cacheKey, follower);
    const leader = this.#leaders.get(ctx.cacheKey);
    // The leader's client left earlier and it went on for the others alone.
    if (leader?.gone && this.#o.flights.waiting(ctx.cacheKey) === 0) this.#o.lifecycle().abort(leader, true);
  }
}

/** One request that waits for another's answer; as its `call`, it can be cancelled like any other. */
class Follower implements Waiter, Pending {
  readonly #recall: Recall;
  readonly #ctx: Placed;
  readonly #ticket: number;

  constructor(recall: Recall, ctx: Placed) {
    this.#recall = recall;
    this.#ctx = ctx;
    this.#ticket = ctx.ticket;
  }

  onLanded(entry: CacheEntry): void {
    if (this.#isStale()) return;
    this.#ctx.call = null;
    this.#recall.resume(this.#ctx, this.#ticket, recalled(this.#ctx, entry, 'shared'));
  }

  onFailed({ kind, detail, retryAfterMs }: SharedFault): void {
    if (this.#isStale()) return;
    this.#ctx.call = null;
    this.#ctx.retryAfterMs = retryAfterMs;
    this.#recall.resume(this.#ctx, this.#ticket, this.#ctx.refuse(kind, detail));
  }

  onPromoted(): void {
    if (this.#isStale()) {
      this.#recall.passOn(this.#ctx);
      return;
    }
    this.#ctx.call = null;
    this.#recall.lead(this.#ctx);
    this.#recall.resume(this.#ctx, this.#ticket, Verdict.Next);
  }

  cancel(): void {
    this.#recall.leave(this.#ctx, this);
  }

  #isStale(): boolean {
    return this.#ctx.ticket !== this.#ticket;
  }
}

/** The key under which `variant`'s answer to this request is kept. */
export function keyFor(ctx: Placed, variant: Variant): string {
  return cacheKey({
    tenant: ctx.principal.tenant.id,
    model: ctx.route.model,
    variant: variant.name,
    policy: ctx.route.policy,
    request: ctx.request,
  });
}

function recalled(ctx: Placed, entry: CacheEntry, result: CacheResult): Verdict {
  ctx.cacheResult = result;
  ctx.prediction = entry.prediction;
  ctx.answeredBy = answererOf(ctx, entry.variant);
  return Verdict.Answer;
}

function answererOf(ctx: Placed, name: string): Variant {
  const variants = ctx.route.plan.variants;
  for (let i = 0; i < variants.length; i++) {
    if (variants[i]!.name === name) return variants[i]!;
  }
  return ctx.variant;
}
