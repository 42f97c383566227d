import { DATATYPES, isDatatype } from '../../core/datatype.ts';
import type { Signature, TensorSpec } from '../../core/signature.ts';
import { quoted } from '../json/message-text.ts';
import { fieldsOf, smallJson } from './small-json.ts';

/** What servers say of themselves and their models. Each reader gives the value or, as a string, why the bytes are refused. */

const MAX_TENSORS = 1_024;
const MAX_RANK = 8;
const MAX_NAME_CHARS = 1_024;

/** `GET /v2`: the extensions that the server lists. */
export function readExtensions(body: Uint8Array): readonly string[] {
  const extensions = fieldsOf(smallJson(body))?.get('extensions');
  return Array.isArray(extensions) ? extensions.filter((extension) => typeof extension === 'string') : [];
}

/** `GET /v2/models/{model}` */
export function readModelMetadata(body: Uint8Array): Signature | string {
  const fields = fieldsOf(smallJson(body));
  if (fields === null) return 'the metadata is not a JSON object';
  const inputs = readSpecs(fields, 'inputs');
  if (typeof inputs === 'string') return inputs;
  const outputs = readSpecs(fields, 'outputs');
  if (typeof outputs === 'string') return outputs;
  const platform = fields.get('platform');
  return { platform: typeof platform === 'string' ? platform : '', inputs, outputs, decoupled: false };
}

/** `GET /v2/models/{model}/ready`: some servers say it in the body, others by the status alone. */
export function saysReady(body: Uint8Array): boolean {
  return body.length === 0 || fieldsOf(smallJson(body))?.get('ready') !== false;
}

/** The text of `{"error": "…"}`; empty when there is none. */
export function readErrorText(body: Uint8Array): string {
  const error = fieldsOf(smallJson(body))?.get('error');
  return typeof error === 'string' ? error : '';
}

function readSpecs(fields: ReadonlyMap<string, unknown>, key: string): TensorSpec[] | string {
  const list = fields.get(key);
  if (!Array.isArray(list)) return `"${key}" is not a list`;
  if (list.length > MAX_TENSORS) return `"${key}" has more than ${MAX_TENSORS} entries`;
  const specs: TensorSpec[] = [];
  for (const entry of list) {
    const spec = readSpec(fieldsOf(entry));
    if (typeof spec === 'string') return `${key}[${specs.length}]: ${spec}`;
    specs.push(spec);
  }
  return specs;
}

function readSpec(fields: ReadonlyMap<string, unknown> | null): TensorSpec | string {
  if (fields === null) return 'found no object';
  const name = fields.get('name');
  const datatype = fields.get('datatype');
  const shape = fields.get('shape');
  if (typeof name !== 'string' || name === '' || name.length > MAX_NAME_CHARS) return '"name" is no name';
  if (typeof datatype !== 'string' || !isDatatype(datatype)) {
    return `${quoted(name)} has the datatype ${quoted(String(datatype))}, expected one of ${DATATYPES.join(', ')}`;
  }
  if (!Array.isArray(shape) || shape.length > MAX_RANK || !shape.every(isDimension)) {
    return `${quoted(name)} has no shape of at most ${MAX_RANK} whole numbers from -1 on`;
  }
  return { name, datatype, shape };
}

function isDimension(size: unknown): size is number {
  return Number.isSafeInteger(size) && (size as number) >= -1;
}
