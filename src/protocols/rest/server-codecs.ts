import type { RequestContext } from '../../core/context.ts';
import type { Verdict } from '../../core/verdict.ts';
import { fillReply, jsonBytes } from './json-reply.ts';
import { QueryCodec } from './query-codec.ts';

/** Questions about the server: what it is, whether it lives, whether it is ready. */

/** Extensions of the protocol that are served here. Clients ask for them by name, so none is listed before it works. */
const EXTENSIONS: readonly string[] = ['binary_tensor_data', 'model_configuration', 'statistics'];

export class ServerMetadataCodec extends QueryCodec {
  override readonly name = 'rest-server-metadata';
  readonly #body: readonly Uint8Array[];

  constructor(serverName: string, serverVersion: string) {
    super();
    this.#body = [jsonBytes({ name: serverName, version: serverVersion, extensions: EXTENSIONS })];
  }

  override decode(ctx: RequestContext): Verdict {
    fillReply(ctx, 200, this.#body);
    return ctx.answer();
  }
}

const LIVE = [jsonBytes({ live: true })];
const READY = [jsonBytes({ ready: true })];
const NOT_READY = [jsonBytes({ ready: false })];

/** Whoever gets an answer at all has found a live server. */
export class ServerLiveCodec extends QueryCodec {
  override readonly name = 'rest-server-live';

  override decode(ctx: RequestContext): Verdict {
    fillReply(ctx, 200, LIVE);
    return ctx.answer();
  }
}

export class ServerReadyCodec extends QueryCodec {
  override readonly name = 'rest-server-ready';
  readonly #isReady: () => boolean;

  constructor(isReady: () => boolean) {
    super();
    this.#isReady = isReady;
  }

  override decode(ctx: RequestContext): Verdict {
    if (this.#isReady()) fillReply(ctx, 200, READY);
    else fillReply(ctx, 503, NOT_READY);
    return ctx.answer();
  }
}
