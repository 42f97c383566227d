import type { Clock } from '../../core/clock.ts';
import type { RequestContext } from '../../core/context.ts';
import { Fault } from '../../core/faults.ts';
import type { ByteBudget, RateLimiter } from '../../core/limits.ts';
import type { ConcurrencyCap } from '../../core/tenant.ts';
import { Verdict } from '../../core/verdict.ts';
import type { Stage } from '../lifecycle.ts';

/** Milliseconds a caller is told to wait when a place, not a rate, is what is missing. */
const PLACE_WAIT_MS = 1_000;

/** A probe names a service at most: no stranger gets more read than this. */
const OPEN_BODY_BYTES = 4_096;

export interface AdmitOptions {
  readonly clock: Clock;
  readonly limiter: RateLimiter;
  /** Requests in flight of the whole process. */
  readonly processCap: ConcurrencyCap;
  /** Bytes of all bodies in flight. */
  readonly bytes: ByteBudget;
  readonly maxBodyBytes: number;
}

/** Is there room for this request? Sees header fields alone; the body is read only after it. */
export class Admit implements Stage {
  readonly #o: AdmitOptions;

  constructor(options: AdmitOptions) {
    this.#o = options;
  }

  /** @hot */
  run(ctx: RequestContext): Verdict {
    const o = this.#o;
    ctx.awaitsBody = ctx.head.contentLength !== 0;
    ctx.bodyLimitBytes = ctx.match.open ? OPEN_BODY_BYTES : o.maxBodyBytes;
    if (ctx.match.open) return ctx.match.fault === null ? Verdict.Next : ctx.refuse(ctx.match.fault);
    const tenant = ctx.principal!.tenant;
    const nowMs = o.clock.nowMs();
    const waitMs = o.limiter.take(tenant.buckets, 1, nowMs);
    ctx.rateRemaining = o.limiter.remaining(tenant.buckets[0]!, nowMs);
    ctx.rateResetMs = o.limiter.fullInMs(tenant.buckets[0]!, nowMs);
    if (waitMs > 0) {
      ctx.retryAfterMs = waitMs;
      return ctx.refuse(Fault.RateLimited);
    }
    if (ctx.match.fault !== null) return ctx.refuse(ctx.match.fault);
    if (ctx.head.contentLength > o.maxBodyBytes) return this.#tooLarge(ctx);
    if (!o.processCap.take()) return this.#full(ctx);
    ctx.permits.push(o.processCap);
    if (!tenant.concurrency.take()) {
      ctx.retryAfterMs = PLACE_WAIT_MS;
      return ctx.refuse(Fault.TooManyInFlight);
    }
    ctx.permits.push(tenant.concurrency);
    // The bytes come last: nothing after them in this phase can refuse and leak them.
    return ctx.head.contentLength > 0 ? this.holdBytes(ctx, ctx.head.contentLength) : Verdict.Next;
  }

  /**
   * Takes the body's bytes from the tenant's share and from the budget of all; also called where a protocol states no length before the
   * body is there.
   */
  holdBytes(ctx: RequestContext, bytes: number): Verdict {
    const more = bytes - ctx.heldBytes;
    if (more <= 0) return Verdict.Next;
    const own = ctx.principal!.tenant.bytes;
    if (!own.take(more)) return this.#full(ctx);
    if (!this.#o.bytes.take(more)) {
      own.give(more);
      return this.#full(ctx);
    }
    ctx.heldBytes = bytes;
    return Verdict.Next;
  }

  #full(ctx: RequestContext): Verdict {
    ctx.retryAfterMs = PLACE_WAIT_MS;
    return ctx.refuse(Fault.Overloaded);
  }

  #tooLarge(ctx: RequestContext): Verdict {
    return ctx.refuse(Fault.BodyTooLarge, `Found ${ctx.head.contentLength} bytes, at most ${this.#o.maxBodyBytes} are taken.`);
  }
}
