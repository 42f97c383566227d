import type { RequestContext } from '../../../../src/core/context.ts';
import type { Tensor } from '../../../../src/core/inference.ts';
import { ByteWriter } from '../../../../src/wire/json/byte-writer.ts';
import { writeTensorData } from '../../../../src/wire/json/tensor-writer.ts';
import { contextOf, rest } from './rest-fakes.ts';

/** Bodies of the binary tensor extension, and what the codec makes of them. */

const protocol = rest();

export interface BinaryBody {
  readonly fields: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A JSON head and raw bytes behind it. */
export function binaryBody(head: unknown, ...tail: readonly Uint8Array[]): BinaryBody {
  const json = Buffer.from(typeof head === 'string' ? head : JSON.stringify(head));
  const fields = { 'inference-header-content-length': String(json.length), 'content-type': 'application/octet-stream' };
  return { fields, body: Buffer.concat([json, ...tail]) };
}

/** The head of an input whose bytes stand behind the JSON. */
export const binaryInput = ({ name, datatype, shape, data }: Tensor, more: object = {}): object => ({
  name,
  shape,
  datatype,
  parameters: { binary_data_size: data.length, ...more },
});

/** The tensor as an input in JSON. */
export function jsonInput({ name, datatype, shape, data }: Tensor): string {
  const writer = new ByteWriter(64);
  const refusal = writeTensorData(writer, { name, datatype, shape, data });
  if (refusal !== '') throw new Error(refusal);
  const values = Buffer.concat(writer.pieces()).toString();
  return `{"name":${JSON.stringify(name)},"shape":[${shape.join(',')}],"datatype":"${datatype}","data":${values}}`;
}

/** Decodes at once: for bodies that are neither packed nor long. */
export function decodeNow(
  fields: Readonly<Record<string, string>>,
  body: readonly Uint8Array[],
  model = 'digits',
): RequestContext {
  const ctx = contextOf(protocol, { method: 'POST', path: `/v2/models/${model}/infer`, fields, body, models: [model] });
  if (ctx.match.fault !== null) {
    ctx.refuse(ctx.match.fault);
    return ctx;
  }
  const verdict = ctx.codec.decode(ctx);
  if (verdict instanceof Promise) throw new Error('decoding waited');
  if ((ctx.request === null) !== (ctx.fault !== null)) throw new Error('a request must be read or refused');
  return ctx;
}

/** Bytes that do not pack, the same at each run. */
export function noise(size: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = 0x9e3779b9;
  for (let i = 0; i < words.length; i++) {
    // Marsaglia's xorshift.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, size);
}
