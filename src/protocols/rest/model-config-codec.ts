import type { RequestContext } from '../../core/context.ts';
import { Fault } from '../../core/faults.ts';
import type { TensorSpec } from '../../core/signature.ts';
import type { Route } from '../../core/traffic.ts';
import { Verdict } from '../../core/verdict.ts';
import { variantsByVersion } from '../../core/visibility.ts';
import { fillReply, jsonBytes } from './json-reply.ts';
import { QueryCodec } from './query-codec.ts';

/**
 * `GET .../config`: a model configuration as Triton's clients read one. It is derived from the signature and from what the gateway takes;
 * the backend's own, with its instances and schedulers, is not for callers.
 */
export class ModelConfigCodec extends QueryCodec {
  override readonly name = 'rest-model-config';

  override decode(ctx: RequestContext): Verdict {
    const route = this.routeOf(ctx);
    if (route === null) return Verdict.Refuse;
    if (route.contract === null) return ctx.refuse(Fault.NoVariant, 'Its stable variant has not stated its signature yet.');
    fillReply(ctx, 200, [jsonBytes(configOf(route, route.contract.rowLimit, ctx.match.version))]);
    return ctx.answer();
  }
}

function configOf(route: Route, rowLimit: number, version: string): Readonly<Record<string, unknown>> {
  const { platform, inputs, outputs, decoupled } = route.contract!.signature;
  return {
    name: route.model,
    platform,
    // Triton's platforms begin with the backend that runs them, as in onnxruntime_onnx.
    backend: platform.split('_', 1)[0]!,
    version_policy: { specific: { versions: variantsByVersion(route, version).map((variant) => variant.name) } },
    max_batch_size: rowLimit,
    input: inputs.map((spec) => ({ ...described(spec, rowLimit > 0), optional: false })),
    output: outputs.map((spec) => described(spec, rowLimit > 0)),
    model_transaction_policy: { decoupled },
  };
}

/** Where rows are counted, their dimension is not among `dims`: clients put it in front themselves. */
function described({ name, datatype, shape }: TensorSpec, hasRows: boolean): Readonly<Record<string, unknown>> {
  return {
    name,
    data_type: datatype === 'BYTES' ? 'TYPE_STRING' : `TYPE_${datatype}`,
    dims: hasRows && shape[0] === -1 ? shape.slice(1) : shape,
  };
}
