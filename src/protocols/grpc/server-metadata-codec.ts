import type { RequestContext } from '../../core/context.ts';
import { Fault } from '../../core/faults.ts';
import type { Verdict } from '../../core/verdict.ts';
import { decodeEmpty, encodeServerMetadata } from '../../wire/oip/server-messages.ts';
import { QueryCodec } from './query-codec.ts';

/** ServerMetadata: name and version of this gateway, written once at start-up. */
export class ServerMetadataCodec extends QueryCodec {
  readonly name = 'grpc_server_metadata';
  readonly #answer: Uint8Array;

  constructor(serverName: string, serverVersion: string) {
    super();
    this.#answer = encodeServerMetadata({ name: serverName, version: serverVersion, extensions: [] });
  }

  protected reply(ctx: RequestContext, message: Uint8Array): Uint8Array | Verdict {
    const problem = decodeEmpty(message);
    return problem === '' ? this.#answer : ctx.refuse(Fault.Malformed, problem);
  }
}
