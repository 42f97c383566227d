import type { RequestContext } from '../../core/context.ts';
import { Fault } from '../../core/faults.ts';
import type { Verdict } from '../../core/verdict.ts';
import { decodeEmpty, encodeReady } from '../../wire/oip/server-messages.ts';
import { QueryCodec } from './query-codec.ts';

const YES: Uint8Array = encodeReady(true);
const NO: Uint8Array = encodeReady(false);

/** ServerLive and ServerReady: one question without words, one bit in answer. */
export class HealthCodec extends QueryCodec {
  readonly name = 'grpc_health';
  readonly #isWell: () => boolean;

  constructor(isWell: () => boolean) {
    super();
    this.#isWell = isWell;
  }

  protected reply(ctx: RequestContext, message: Uint8Array): Uint8Array | Verdict {
    const problem = decodeEmpty(message);
    if (problem !== '') return ctx.refuse(Fault.Malformed, problem);
    return this.#isWell() ? YES : NO;
  }
}
