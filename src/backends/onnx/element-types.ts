import type { Tensor } from 'onnxruntime-node';
import { type Datatype, elementBytes } from '../../core/datatype.ts';

/** How the element types of onnxruntime map to the datatypes of the Open Inference Protocol, both ways. */
type Elements =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

interface ElementType {
  readonly ort: Tensor.Type;
  readonly datatype: Datatype;
  view(buffer: ArrayBuffer, offset: number, count: number): Elements;
}

const TYPES: readonly ElementType[] = [
  { ort: 'bool', datatype: 'BOOL', view: (b, o, n) => new Uint8Array(b, o, n) },
  { ort: 'uint8', datatype: 'UINT8', view: (b, o, n) => new Uint8Array(b, o, n) },
  { ort: 'uint16', datatype: 'UINT16', view: (b, o, n) => new Uint16Array(b, o, n) },
  { ort: 'uint32', datatype: 'UINT32', view: (b, o, n) => new Uint32Array(b, o, n) },
  { ort: 'uint64', datatype: 'UINT64', view: (b, o, n) => new BigUint64Array(b, o, n) },
  { ort: 'int8', datatype: 'INT8', view: (b, o, n) => new Int8Array(b, o, n) },
  { ort: 'int16', datatype: 'INT16', view: (b, o, n) => new Int16Array(b, o, n) },
  { ort: 'int32', datatype: 'INT32', view: (b, o, n) => new Int32Array(b, o, n) },
  { ort: 'int64', datatype: 'INT64', view: (b, o, n) => new BigInt64Array(b, o, n) },
  { ort: 'float16', datatype: 'FP16', view: (b, o, n) => new Uint16Array(b, o, n) },
  { ort: 'float32', datatype: 'FP32', view: (b, o, n) => new Float32Array(b, o, n) },
  { ort: 'float64', datatype: 'FP64', view: (b, o, n) => new Float64Array(b, o, n) },
];
const STRING = 'string';

const BY_ORT = new Map<string, Datatype>([
  ...TYPES.map((type): [string, Datatype] => [type.ort, type.datatype]),
  [STRING, 'BYTES'],
]);
const BY_DATATYPE = new Map<Datatype, ElementType>(TYPES.map((type) => [type.datatype, type]));

/** Null for an element type that the protocol cannot carry. */
export const datatypeOf = (ortType: string): Datatype | null => BY_ORT.get(ortType) ?? null;

/** The runtime's name of a datatype that `datatypeOf` gave. */
export const ortTypeOf = (datatype: Datatype): Tensor.Type => BY_DATATYPE.get(datatype)?.ort ?? STRING;

/** The elements that lie in `buffer`; throws a RangeError when the range is not aligned or not inside. Not for BYTES. */
export function elementsOf(datatype: Datatype, buffer: ArrayBuffer, range: { offset: number; sizeBytes: number }): Elements {
  return BY_DATATYPE.get(datatype)!.view(buffer, range.offset, range.sizeBytes / elementBytes(datatype));
}
