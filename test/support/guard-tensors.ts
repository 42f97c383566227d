import { joinByteStrings } from '../../src/core/byte-strings.ts';
import type { Datatype } from '../../src/core/datatype.ts';
import type { Inspection } from '../../src/core/guard.ts';
import type { Tensor } from '../../src/core/inference.ts';

/** Tensors and inspections for the tests of guards. */

export function textTensor(name: string, texts: readonly string[], shape: readonly number[] = [texts.length]): Tensor {
  return { name, datatype: 'BYTES', shape, data: joinByteStrings(texts.map((text) => Buffer.from(text, 'utf8'))) };
}

type NumericArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

export function numericTensor(
  name: string,
  datatype: Datatype,
  values: NumericArray,
  shape: readonly number[] = [values.length],
): Tensor {
  return { name, datatype, shape, data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}

/** The same tensor with its bytes at an odd address. */
export function askew(tensor: Tensor): Tensor {
  const room = new Uint8Array(tensor.data.length + 1);
  room.set(tensor.data, 1);
  return { ...tensor, data: room.subarray(1) };
}

export function inspectionOf(tensors: readonly Tensor[], side: 'input' | 'output' = 'input'): Inspection {
  return { tenant: 'acme', model: 'demo', side, tensors: [...tensors], guard: '', rule: '', flags: [] };
}

export function textsOf(tensor: Tensor): string[] {
  const data = Buffer.from(tensor.data);
  const texts: string[] = [];
  for (let at = 0; at < data.length; ) {
    const length = data.readUInt32LE(at);
    texts.push(data.toString('utf8', at + 4, at + 4 + length));
    at += 4 + length;
  }
  return texts;
}
