import type { RequestContext } from '../../core/context.ts';
import { Fault } from '../../core/faults.ts';
import type { Verdict } from '../../core/verdict.ts';
import { fillFault } from './json-reply.ts';
import { QueryCodec } from './query-codec.ts';

/** Stands behind matches whose head is refused already: it only has to say so. */
export class RefusalCodec extends QueryCodec {
  override readonly name = 'rest-refusal';
  readonly #allow: string;
  readonly #hint: string;

  /** `allow` is the method the path answers to, for 405 alone; `hint` says what to do instead. */
  constructor(allow: string, hint: string) {
    super();
    this.#allow = allow;
    this.#hint = hint;
  }

  override decode(ctx: RequestContext): Verdict {
    return ctx.refuse(ctx.match.fault ?? Fault.Bug);
  }

  override encodeFault(ctx: RequestContext): void {
    // The fault may be another: a stranger hears 401 and learns nothing of what the path answers to.
    const own = ctx.fault === ctx.match.fault;
    if (own && this.#allow !== '') ctx.reply.headers.push('allow', this.#allow);
    fillFault(ctx, own ? this.#hint : '');
  }
}
