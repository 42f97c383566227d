import type { RequestContext } from '../../core/context.ts';
import { Fault } from '../../core/faults.ts';
import type { Route } from '../../core/traffic.ts';
import type { Verdict } from '../../core/verdict.ts';
import { encodeModelMetadata } from '../../wire/oip/server-messages.ts';
import { ModelQuery } from './model-query.ts';

/** ModelMetadata: what a model takes and gives, and the versions that may be asked for. */
export class ModelMetadataCodec extends ModelQuery {
  readonly name = 'grpc_model_metadata';

  protected describe(ctx: RequestContext, route: Route): Uint8Array | Verdict {
    if (route.contract === null) return ctx.refuse(Fault.NoVariant, 'It is still warming.');
    const { platform, inputs, outputs } = route.contract.signature;
    const versions = route.plan.variants.map((variant) => variant.name);
    return encodeModelMetadata({ name: route.model, versions, platform, inputs, outputs });
  }
}
