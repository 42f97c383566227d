import type { RequestContext } from '../../core/context.ts';
import { Fault } from '../../core/faults.ts';
import type { Verdict } from '../../core/verdict.ts';
import { QueryCodec } from './query-codec.ts';

/** A method that clients know and this gateway does not offer. It is refused on its metadata, by name, and its message is never read. */
export class NotOfferedCodec extends QueryCodec {
  readonly name = 'grpc_not_offered';
  readonly #detail: string;

  constructor(method: string, instead: string) {
    super();
    this.#detail = `${method}: ${instead}`;
  }

  protected reply(ctx: RequestContext): Verdict {
    return ctx.refuse(Fault.NotSupported, this.#detail);
  }

  override encodeFault(ctx: RequestContext): void {
    if (ctx.fault === Fault.NotSupported) ctx.faultDetail = this.#detail;
    super.encodeFault(ctx);
  }
}
