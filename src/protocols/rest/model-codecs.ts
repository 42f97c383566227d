import type { RequestContext } from '../../core/context.ts';
import { Fault } from '../../core/faults.ts';
import type { TensorSpec } from '../../core/signature.ts';
import { Verdict } from '../../core/verdict.ts';
import { isServing, variantByVersion, visibleRoutes } from '../../core/visibility.ts';
import { fillReply, jsonBytes } from './json-reply.ts';
import { QueryCodec } from './query-codec.ts';

/** Questions about models: which there are, what they take and give, whether they are ready. */

export class ModelListCodec extends QueryCodec {
  override readonly name = 'rest-models';

  override decode(ctx: RequestContext): Verdict {
    const routes = visibleRoutes(ctx.snapshot, ctx.principal!);
    fillReply(ctx, 200, [jsonBytes({ models: routes.map((route) => route.model) })]);
    return ctx.answer();
  }
}

export class ModelMetadataCodec extends QueryCodec {
  override readonly name = 'rest-model-metadata';

  override decode(ctx: RequestContext): Verdict {
    const route = this.routeOf(ctx);
    if (route === null) return Verdict.Refuse;
    if (route.contract === null) return ctx.refuse(Fault.NoVariant, 'Its stable variant has not stated its signature yet.');
    const { platform, inputs, outputs } = route.contract.signature;
    const { version } = ctx.match;
    const versions =
      version === '' ? route.plan.variants.map((variant) => variant.name) : [variantByVersion(route, version)!.name];
    const metadata = { name: route.model, versions, platform, inputs: inputs.map(tensor), outputs: outputs.map(tensor) };
    fillReply(ctx, 200, [jsonBytes(metadata)]);
    return ctx.answer();
  }
}

export class ModelReadyCodec extends QueryCodec {
  override readonly name = 'rest-model-ready';

  override decode(ctx: RequestContext): Verdict {
    const route = this.routeOf(ctx);
    if (route === null) return Verdict.Refuse;
    const ready = isServing(route, ctx.match.version);
    fillReply(ctx, ready ? 200 : 503, [jsonBytes({ name: route.model, ready })]);
    return ctx.answer();
  }
}

/** In the order in which the protocol shows them. */
const tensor = ({ name, datatype, shape }: TensorSpec): TensorSpec => ({ name, datatype, shape });
