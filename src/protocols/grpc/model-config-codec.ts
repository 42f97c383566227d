import type { RequestContext } from '../../core/context.ts';
import { Fault } from '../../core/faults.ts';
import type { Route } from '../../core/traffic.ts';
import type { Verdict } from '../../core/verdict.ts';
import { encodeModelConfig } from '../../wire/oip/model-config.ts';
import { ModelQuery } from './model-query.ts';

/** ModelConfig: the part of a model's configuration that follows from its signature. */
export class ModelConfigCodec extends ModelQuery {
  readonly name = 'grpc_model_config';

  protected describe(ctx: RequestContext, route: Route): Uint8Array | Verdict {
    if (route.contract === null) return ctx.refuse(Fault.NoVariant, 'It is still warming.');
    return encodeModelConfig(route.model, route.contract.signature, route.contract.rowLimit);
  }
}
