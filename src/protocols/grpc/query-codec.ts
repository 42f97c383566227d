import type { RequestContext } from '../../core/context.ts';
import type { Codec } from '../../core/exchange.ts';
import { Fault } from '../../core/faults.ts';
import type { Verdict } from '../../core/verdict.ts';
import { messageOf, writeFault, writeMessage } from './unary-reply.ts';

/** A call that the gateway answers by itself: its message is read and its answer written in one step, and no backend hears of it. */
export abstract class QueryCodec implements Codec {
  abstract readonly name: string;

  /** The message of the answer, or a verdict that refuses. */
  protected abstract reply(ctx: RequestContext, message: Uint8Array): Uint8Array | Verdict;

  decode(ctx: RequestContext): Verdict {
    const answer = this.reply(ctx, messageOf(ctx));
    if (typeof answer === 'number') return answer;
    writeMessage(ctx, answer);
    return ctx.answer();
  }

  /** Nothing is predicted here, so there is nothing to write. Reaching this is a mistake in the gateway and shows as one. */
  encode(ctx: RequestContext): void {
    ctx.refuse(Fault.Bug);
    writeFault(ctx);
  }

  encodeFault(ctx: RequestContext): void {
    writeFault(ctx);
  }
}
