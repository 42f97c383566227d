import type { Clock } from '../../core/clock.ts';
import type { RequestContext } from '../../core/context.ts';
import { Fault } from '../../core/faults.ts';
import type { ByteBudget, RateLimiter } from '../../core/limits.ts';
import type { OverloadReason, Tally } from '../../core/observer.ts';
import { PressureLevel } from '../../core/pressure.ts';
import type { ConcurrencyCap } from '../../core/tenant.ts';
import { type Maybe, Verdict } from '../../core/verdict.ts';
import type { LocalConcurrencyCap } from '../../limits/concurrency.ts';
import type { Pressure } from '../../limits/pressure.ts';
import type { Stage } from '../lifecycle.ts';

/** Milliseconds a caller is told to wait when a place, not a rate, is what is missing. */
const PLACE_WAIT_MS = 1_000;

/** A probe names a service at most: no stranger gets more read than this. */
const OPEN_BODY_BYTES = 4_096;

export interface AdmitOptions {
  readonly clock: Clock;
  readonly limiter: RateLimiter;
  /** Requests in flight of this process. */
  readonly processCap: LocalConcurrencyCap;
  /** Bytes of all bodies in flight. */
  readonly bytes: ByteBudget;
  readonly maxBodyBytes: number;
  readonly pressure: Pressure;
  readonly tally: Tally;
}

/** Is there room for this request? Sees header fields alone; the body is read only after it, or while other processes are asked. */
export class Admit implements Stage {
  readonly #o: AdmitOptions;

  constructor(options: AdmitOptions) {
    this.#o = options;
  }

  /** @hot */
  run(ctx: RequestContext): Maybe<Verdict> {
    const o = this.#o;
    ctx.awaitsBody = ctx.head.contentLength !== 0;
    ctx.bodyLimitBytes = ctx.match.open ? OPEN_BODY_BYTES : o.maxBodyBytes;
    if (ctx.match.open) return ctx.match.fault === null ? Verdict.Next : ctx.refuse(ctx.match.fault);
    if (o.pressure.level === PressureLevel.NoNewWork) return this.#full(ctx, o.pressure.reason);
    const wait = o.limiter.take(ctx.principal!.tenant.buckets, 1, o.clock.nowMs());
    if (wait !== null && typeof wait !== 'number') return this.#awaitRate(ctx, wait);
    if (this.#judge(ctx, wait) === Verdict.Refuse || this.#takeLocal(ctx) === Verdict.Refuse) return Verdict.Refuse;
    return this.#takePlace(ctx);
  }

  /**
   * Takes the body's bytes from the tenant's share and from the budget of all; also called where a protocol states no length before the
   * body is there.
   */
  holdBytes(ctx: RequestContext, bytes: number): Verdict {
    const more = bytes - ctx.heldBytes;
    if (more <= 0) return Verdict.Next;
    const own = ctx.principal!.tenant.bytes;
    if (!own.take(more)) return this.#full(ctx, 'bytes');
    if (!this.#o.bytes.take(more)) {
      own.give(more);
      return this.#full(ctx, 'bytes');
    }
    ctx.heldBytes = bytes;
    return Verdict.Next;
  }

  /** The listener reads the body meanwhile, so its bytes are held before the wait. */
  async #awaitRate(ctx: RequestContext, wait: Promise<number | null>): Promise<Verdict> {
    const { ticket } = ctx;
    if (this.#takeLocal(ctx) === Verdict.Refuse) return Verdict.Refuse;
    const waitMs = await wait;
    // It has ended meanwhile and given back what it held: nothing more may be taken for it.
    if (ctx.ticket !== ticket) return Verdict.Refuse;
    return this.#judge(ctx, waitMs) === Verdict.Refuse ? Verdict.Refuse : this.#takePlace(ctx);
  }

  /** What the limiter said. @hot */
  #judge(ctx: RequestContext, waitMs: number | null): Verdict {
    const { clock, limiter } = this.#o;
    const bucket = ctx.principal!.tenant.buckets[0]!;
    const nowMs = clock.nowMs();
    ctx.rateRemaining = limiter.remaining(bucket, nowMs);
    ctx.rateResetMs = limiter.fullInMs(bucket, nowMs);
    if (waitMs === null) return this.#full(ctx, 'leases');
    if (waitMs === 0) return Verdict.Next;
    ctx.retryAfterMs = waitMs;
    return ctx.refuse(Fault.RateLimited);
  }

  /** What belongs to this process alone. @hot */
  #takeLocal(ctx: RequestContext): Verdict {
    const { maxBodyBytes, processCap } = this.#o;
    const bytes = ctx.head.contentLength;
    if (ctx.match.fault !== null) return ctx.refuse(ctx.match.fault);
    if (bytes > maxBodyBytes) return ctx.refuse(Fault.BodyTooLarge, `Found ${bytes} bytes, at most ${maxBodyBytes} are taken.`);
    if (!processCap.take()) return this.#full(ctx, 'requests');
    ctx.place = processCap;
    return bytes > 0 ? this.holdBytes(ctx, bytes) : Verdict.Next;
  }

  /** The tenant's place comes last: nothing after it can refuse and leak it. @hot */
  #takePlace(ctx: RequestContext): Maybe<Verdict> {
    const cap = ctx.principal!.tenant.concurrency;
    const taken = cap.take();
    return taken === null || typeof taken === 'boolean' ? this.#place(ctx, cap, taken) : this.#awaitPlace(ctx, cap, taken);
  }

  async #awaitPlace(ctx: RequestContext, cap: ConcurrencyCap, wait: Promise<boolean | null>): Promise<Verdict> {
    const { ticket } = ctx;
    const taken = await wait;
    if (ctx.ticket === ticket) return this.#place(ctx, cap, taken);
    // It has ended meanwhile and given back what it held; this came too late to be among it.
    if (taken === true) cap.release();
    return Verdict.Refuse;
  }

  #place(ctx: RequestContext, cap: ConcurrencyCap, taken: boolean | null): Verdict {
    if (taken === true) {
      ctx.tenantPlace = cap;
      return Verdict.Next;
    }
    if (taken === null) return this.#full(ctx, 'leases');
    ctx.retryAfterMs = PLACE_WAIT_MS;
    return ctx.refuse(Fault.TooManyInFlight);
  }

  #full(ctx: RequestContext, reason: OverloadReason): Verdict {
    this.#o.tally.overloaded(reason);
    ctx.retryAfterMs = PLACE_WAIT_MS;
    return ctx.refuse(Fault.Overloaded);
  }
}
