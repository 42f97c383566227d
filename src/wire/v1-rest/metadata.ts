import type { Datatype } from '../../core/datatype.ts';
import type { Signature, TensorSpec } from '../../core/signature.ts';
import { quoted } from '../json/message-text.ts';
import { fieldsOf, smallJson } from '../oip-rest/small-json.ts';

/** What TensorFlow Serving tells of a model at `GET /v1/models/{model}/metadata`, and of its state at `GET /v1/models/{model}`. */

/** A signature and the name under which predictions ask for it. */
export interface V1Model {
  readonly signatureName: string;
  readonly signature: Signature;
}

/** Types of 16-bit floating point are missing: their values have no exact form in JSON here. */
const DATATYPES: ReadonlyMap<unknown, Datatype> = new Map<unknown, Datatype>([
  ['DT_BOOL', 'BOOL'],
  ['DT_UINT8', 'UINT8'],
  ['DT_UINT16', 'UINT16'],
  ['DT_UINT32', 'UINT32'],
  ['DT_UINT64', 'UINT64'],
  ['DT_INT8', 'INT8'],
  ['DT_INT16', 'INT16'],
  ['DT_INT32', 'INT32'],
  ['DT_INT64', 'INT64'],
  ['DT_FLOAT', 'FP32'],
  ['DT_DOUBLE', 'FP64'],
  ['DT_STRING', 'BYTES'],
]);
const DEFAULT_SIGNATURE = 'serving_default';
const INITIALISER = '__saved_model_init_op';
const PLATFORM = 'tensorflow_savedmodel';
const MAX_TENSORS = 64;
const MAX_RANK = 8;
const MAX_NAME_CHARS = 1_024;
const SIZE = /^(?:-1|\d{1,15})$/;

/** The signature to be used, or why there is none. */
export function readModelMetadata(body: Uint8Array): V1Model | string {
  // Proto JSON of a map within a map: the names are written twice.
  const stated = fieldsOf(fieldsOf(fieldsOf(smallJson(body))?.get('metadata'))?.get('signature_def'))?.get('signature_def');
  const signatures = fieldsOf(stated);
  if (signatures === null) return 'found no signature_def in it';
  const names = [...signatures.keys()].filter((name) => name !== INITIALISER);
  const signatureName = names.includes(DEFAULT_SIGNATURE) ? DEFAULT_SIGNATURE : names.length === 1 ? names[0]! : '';
  if (signatureName === '') return `found ${names.length} signatures, expected ${DEFAULT_SIGNATURE} or a single one`;
  const fields = fieldsOf(signatures.get(signatureName));
  const inputs = readSpecs(fields?.get('inputs'), 'input');
  if (typeof inputs === 'string') return inputs;
  const outputs = readSpecs(fields?.get('outputs'), 'output');
  if (typeof outputs === 'string') return outputs;
  return { signatureName, signature: { platform: PLATFORM, inputs, outputs, decoupled: false } };
}

/** Whether the state of a model says that some version serves. KServe says `ready` instead. */
export function saysReady(body: Uint8Array): boolean {
  const fields = fieldsOf(smallJson(body));
  const versions = fields?.get('model_version_status');
  if (!Array.isArray(versions)) return fields?.get('ready') === true;
  return versions.some((version) => fieldsOf(version)?.get('state') === 'AVAILABLE');
}

function readSpecs(stated: unknown, what: string): TensorSpec[] | string {
  const tensors = fieldsOf(stated);
  if (tensors === null || tensors.size === 0) return `found no ${what}s in its signature`;
  if (tensors.size > MAX_TENSORS) return `found more than ${MAX_TENSORS} ${what}s`;
  const specs: TensorSpec[] = [];
  for (const [name, info] of tensors) {
    const spec = name === '' || name.length > MAX_NAME_CHARS ? 'its name is empty or too long' : readSpec(name, fieldsOf(info));
    if (typeof spec === 'string') return `${what} ${quoted(name)}: ${spec}`;
    specs.push(spec);
  }
  return specs;
}

function readSpec(name: string, info: ReadonlyMap<string, unknown> | null): TensorSpec | string {
  const type = info?.get('dtype');
  const datatype = DATATYPES.get(type);
  if (datatype === undefined) return `found dtype ${quoted(String(type))}, expected one of ${[...DATATYPES.keys()].join(', ')}`;
  const tensorShape = fieldsOf(info!.get('tensor_shape'));
  if (tensorShape?.get('unknown_rank') === true) return 'its rank is unknown; expected a shape, with -1 where a size is free';
  const shape: number[] = [];
  const dims = tensorShape?.get('dim') ?? [];
  if (!Array.isArray(dims) || dims.length > MAX_RANK) return `found no shape of at most ${MAX_RANK} dimensions`;
  for (const dim of dims) {
    const size = String(fieldsOf(dim)?.get('size'));
    if (!SIZE.test(size)) return `found a dimension of ${quoted(size)}, expected a whole number from -1 on`;
    shape.push(Number(size));
  }
  return { name, datatype, shape };
}
