import type { Authorised } from '../../core/context.ts';
import { Verdict } from '../../core/verdict.ts';
import { affinityOf } from '../../router/affinity.ts';
import { pinnedTo } from '../../router/pins.ts';
import { type SequenceIds, sequenceKey } from '../../router/sequence-ids.ts';
import { choose } from '../../router/traffic-plan.ts';
import type { Stage } from '../lifecycle.ts';

/** Which variant? Its pin's, or a pure choice by hash: so the cache key can hold it and every replica agrees. Health is asked in Infer. */
export class Place implements Stage<Authorised> {
  readonly #sequences: SequenceIds;

  constructor(sequences: SequenceIds) {
    this.#sequences = sequences;
  }

  /** @hot */
  run(ctx: Authorised): Verdict {
    if (ctx.request.sequenceId !== '') this.#disown(ctx);
    ctx.affinity = affinityOf(stickyKeyOf(ctx));
    if (ctx.variant !== null) return Verdict.Next;
    const { plan } = ctx.route;
    ctx.variant = pinnedTo(plan.pins, ctx.principal.tenant.id, ctx.head);
    if (ctx.variant === null) ctx.variant = choose(plan, ctx.affinity);
    else ctx.byPin = true;
    return Verdict.Next;
  }

  /** The backend gets the sequence under a name that no other tenant can choose; `sequenceId` stays the caller's own. */
  #disown(ctx: Authorised): void {
    const { request } = ctx;
    const params = this.#sequences.rewritten(request.params, ctx.principal.tenant.id, ctx.route.model);
    ctx.request = { ...request, params };
  }
}

/** The first present of: sequence, configured header, session header, tenant where config says so, and else the request itself. */
function stickyKeyOf(ctx: Authorised): string {
  const { sequenceId } = ctx.request;
  if (sequenceId !== '') {
    ctx.stickyBy = 'sequence';
    return sequenceKey(ctx.principal.tenant.id, ctx.route.model, sequenceId);
  }
  const key = ctx.route.stickyHeader === '' ? '' : ctx.head.header(ctx.route.stickyHeader);
  if (key !== '') {
    ctx.stickyBy = 'header';
    return key;
  }
  const session = ctx.head.header('x-sluice-session');
  if (session !== '') {
    ctx.stickyBy = 'session';
    return session;
  }
  ctx.stickyBy = ctx.route.stickyByTenant ? 'tenant' : 'request';
  return ctx.route.stickyByTenant ? ctx.principal.tenant.id : ctx.requestId;
}
