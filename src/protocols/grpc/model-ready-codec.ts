import type { RequestContext } from '../../core/context.ts';
import type { Route } from '../../core/traffic.ts';
import { isServing } from '../../core/visibility.ts';
import { encodeReady } from '../../wire/oip/server-messages.ts';
import { ModelQuery } from './model-query.ts';

const READY: Uint8Array = encodeReady(true);
const NOT_READY: Uint8Array = encodeReady(false);

/** ModelReady: false only for a model that the caller may use. */
export class ModelReadyCodec extends ModelQuery {
  readonly name = 'grpc_model_ready';

  protected describe(_ctx: RequestContext, route: Route, version: string): Uint8Array {
    return isServing(route, version) ? READY : NOT_READY;
  }
}
