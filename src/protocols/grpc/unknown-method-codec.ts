import type { RequestContext } from '../../core/context.ts';
import { Fault } from '../../core/faults.ts';
import type { Verdict } from '../../core/verdict.ts';
import { QueryCodec } from './query-codec.ts';

/** Any method or service that is not spoken here: UNIMPLEMENTED, to callers who have shown a credential. */
export class UnknownMethodCodec extends QueryCodec {
  readonly name = 'grpc_unknown';

  protected reply(ctx: RequestContext): Verdict {
    return ctx.refuse(Fault.MethodNotAllowed);
  }
}
