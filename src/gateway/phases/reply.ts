import type { Inferred, RequestContext } from '../../core/context.ts';
import { Fault } from '../../core/faults.ts';
import type { Tenant } from '../../core/tenant.ts';
import { type Maybe, Phase, Verdict } from '../../core/verdict.ts';
import type { Copies } from '../../router/copies/copies.ts';
import type { Stage } from '../lifecycle.ts';

/** Longest wait a caller is told, milliseconds. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** Where the bytes of answers are counted, for as long as their clients have not taken them. */
export interface AnswerRoom {
  /** Refuses `ctx` when it may not hold so many bytes. */
  holdBytes(ctx: RequestContext, bytes: number): Verdict;
}

/** Writes the answer. Who else is to be asked the same gets a copy after it is on its way. */
export class WriteReply implements Stage {
  readonly #copies: Copies;
  readonly #room: AnswerRoom;

  constructor(copies: Copies, room: AnswerRoom) {
    this.#copies = copies;
    this.#room = room;
  }

  /** @hot */
  run(ctx: RequestContext): Maybe<Verdict> {
    // Others waited for this answer, so it was found all the same; its own client hears nothing.
    if (ctx.gone) return cut(ctx);
    if (ctx.parts !== null && ctx.fault === null) {
      // They carry the request on to its end by themselves, when the last of them has left.
      ctx.parts.begin();
      return Verdict.Park;
    }
    if (ctx.fault !== null) ctx.codec.encodeFault(ctx);
    else if (!ctx.reply.ready) {
      const encoded = ctx.codec.encode(ctx);
      if (encoded instanceof Promise) return encoded.then(() => this.#sendLate(ctx));
    }
    return this.#send(ctx);
  }

  #send(ctx: RequestContext): Verdict {
    if (ctx.fault === null && ctx.principal !== null) this.#hold(ctx);
    addHeaders(ctx);
    ctx.exit.send(ctx.reply);
    if (ctx.prediction !== null && ctx.fault === null) this.#copies.offer(ctx as Inferred);
    return Verdict.Next;
  }

  /** Clients that do not read what they ask for must not fill the memory with it. */
  #hold(ctx: RequestContext): void {
    const { pieces, headers } = ctx.reply;
    let size = 0;
    for (let i = 0; i < pieces.length; i++) size += pieces[i]!.length;
    if (this.#room.holdBytes(ctx, ctx.heldBytes + size) !== Verdict.Refuse) return;
    // What belongs to the answer does not belong to the refusal.
    headers.length = 0;
    ctx.codec.encodeFault(ctx);
  }

  /** Meanwhile the exchange may have closed, which released the request; then there is nobody to answer and nothing held to copy. */
  #sendLate(ctx: RequestContext): Verdict {
    if (ctx.phase !== Phase.Reply) return Verdict.Next;
    return ctx.gone ? cut(ctx) : this.#send(ctx);
  }
}

function cut(ctx: RequestContext): Verdict {
  if (ctx.fault === null) ctx.refuse(Fault.ClientGone);
  ctx.exit.reset();
  return Verdict.Next;
}

/** What every answer carries besides what its protocol says. */
export function addHeaders(ctx: RequestContext): void {
  const headers = ctx.reply.headers;
  headers.push('x-request-id', ctx.requestId);
  if (ctx.answeredBy !== null && ctx.fault === null) {
    headers.push('x-sluice-variant', ctx.answeredBy.name);
    headers.push('x-sluice-cache', ctx.cacheResult);
    // Of several answers the last one tells the cost of all.
    if (ctx.parts === null || ctx.parts.over) addCost(ctx);
  }
  if (ctx.rateRemaining >= 0) addRateHeaders(ctx);
  if (ctx.fault !== null && ctx.fault.retry !== 'never') {
    const waitMs = Math.min(ctx.retryAfterMs, MAX_RETRY_AFTER_MS);
    headers.push('retry-after', String(Math.max(1, Math.ceil(waitMs / 1000))));
  }
}

export function addCost(ctx: RequestContext): void {
  ctx.reply.headers.push('x-sluice-cost-nano-usd', String(ctx.cost));
}

/** The fields of draft-ietf-httpapi-ratelimit-headers: the policy's quota and window, and what is left of it now. */
function addRateHeaders(ctx: RequestContext): void {
  ctx.reply.headers.push('ratelimit-policy', ratePolicyOf(ctx.principal!.tenant));
  ctx.reply.headers.push('ratelimit', `"requests";r=${ctx.rateRemaining};t=${Math.ceil(ctx.rateResetMs / 1000)}`);
}

const ratePolicies = new WeakMap<Tenant, string>();

function ratePolicyOf(tenant: Tenant): string {
  const known = ratePolicies.get(tenant);
  if (known !== undefined) return known;
  const windowS = tenant.ratePerSecond > 0 ? Math.max(1, Math.ceil(tenant.burst / tenant.ratePerSecond)) : 1;
  const policy = `"requests";q=${tenant.burst};w=${windowS}`;
  ratePolicies.set(tenant, policy);
  return policy;
}
