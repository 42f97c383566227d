import type { RequestContext } from '../../core/context.ts';
import { Fault } from '../../core/faults.ts';
import type { TensorSpec } from '../../core/signature.ts';
import type { Readiness, Variant } from '../../core/traffic.ts';
import { Verdict } from '../../core/verdict.ts';
import { isServing, variantsByVersion } from '../../core/visibility.ts';
import { fillReply, jsonBytes } from '../rest/json-reply.ts';
import { QueryCodec } from '../rest/query-codec.ts';

/** Questions about models as V1 clients ask them. */

/** `GET /v1/models/{m}`: `ready` for KServe's clients and `model_version_status` for TensorFlow Serving's, in one answer. */
export class ModelStatusCodec extends QueryCodec {
  override readonly name = 'v1-model-status';

  override decode(ctx: RequestContext): Verdict {
    const route = this.routeOf(ctx);
    if (route === null) return Verdict.Refuse;
    const ready = isServing(route, ctx.match.version);
    const statuses = variantsByVersion(route, ctx.match.version).map(statusOf);
    fillReply(ctx, ready ? 200 : 503, [jsonBytes({ name: route.model, ready, model_version_status: statuses })]);
    return ctx.answer();
  }
}

const STATES: Readonly<Record<Readiness['is'], string>> = {
  ready: 'AVAILABLE',
  warming: 'LOADING',
  mismatched: 'LOADING',
  lost: 'LOADING',
  unloaded: 'END',
};

const statusOf = ({ name, state }: Variant): Readonly<Record<string, unknown>> => ({
  version: name,
  state: STATES[state.readiness.is],
  // The reason in full names files and addresses of ours, so callers get one word of it.
  status:
    state.readiness.is === 'mismatched'
      ? { error_code: 'FAILED_PRECONDITION', error_message: 'mismatched' }
      : { error_code: 'OK', error_message: '' },
});

/** `GET /v1/models/{m}/metadata`: the signature under the one name that TensorFlow Serving's clients ask for. */
export class SignatureCodec extends QueryCodec {
  override readonly name = 'v1-model-metadata';

  override decode(ctx: RequestContext): Verdict {
    const route = this.routeOf(ctx);
    if (route === null) return Verdict.Refuse;
    if (route.contract === null) return ctx.refuse(Fault.NoVariant, 'Its stable variant has not stated its signature yet.');
    const { inputs, outputs } = route.contract.signature;
    const served = {
      inputs: Object.fromEntries(inputs.map(tensorInfo)),
      outputs: Object.fromEntries(outputs.map(tensorInfo)),
      method_name: 'tensorflow/serving/predict',
    };
    const version = variantsByVersion(route, ctx.match.version)[0]!.name;
    const metadata = {
      model_spec: { name: route.model, signature_name: '', version },
      metadata: { signature_def: { signature_def: { serving_default: served } } },
    };
    fillReply(ctx, 200, [jsonBytes(metadata)]);
    return ctx.answer();
  }
}

const TYPES: Readonly<Record<TensorSpec['datatype'], string>> = {
  BOOL: 'DT_BOOL',
  UINT8: 'DT_UINT8',
  UINT16: 'DT_UINT16',
  UINT32: 'DT_UINT32',
  UINT64: 'DT_UINT64',
  INT8: 'DT_INT8',
  INT16: 'DT_INT16',
  INT32: 'DT_INT32',
  INT64: 'DT_INT64',
  FP16: 'DT_HALF',
  BF16: 'DT_BFLOAT16',
  FP32: 'DT_FLOAT',
  FP64: 'DT_DOUBLE',
  BYTES: 'DT_STRING',
};

/** Sizes are text there, as JSON writes 64-bit integers of protobuf. */
function tensorInfo({ name, datatype, shape }: TensorSpec): [string, Readonly<Record<string, unknown>>] {
  const dim = shape.map((size) => ({ size: String(size), name: '' }));
  return [name, { dtype: TYPES[datatype], tensor_shape: { dim, unknown_rank: false }, name }];
}
