/** The tensor datatypes of the Open Inference Protocol and their sizes. */
export const DATATYPES = [
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'BF16',
  'FP32',
  'FP64',
  'BYTES',
] as const;
export type Datatype = (typeof DATATYPES)[number];

const SIZES: ReadonlyMap<string, number> = new Map<Datatype, number>([
  ['BOOL', 1],
  ['UINT8', 1],
  ['UINT16', 2],
  ['UINT32', 4],
  ['UINT64', 8],
  ['INT8', 1],
  ['INT16', 2],
  ['INT32', 4],
  ['INT64', 8],
  ['FP16', 2],
  ['BF16', 2],
  ['FP32', 4],
  ['FP64', 8],
  ['BYTES', 0],
]);

export const isDatatype = (name: string): name is Datatype => SIZES.has(name);

/** Bytes of one element; 0 for BYTES, whose elements have a length of their own. */
export const elementBytes = (datatype: Datatype): number => SIZES.get(datatype)!;

/** Elements that a shape holds, or -1 when a dimension is negative, fractional, or the product leaves the exact integers. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (let i = 0; i < shape.length; i++) {
    const size = shape[i]!;
    if (!Number.isSafeInteger(size) || size < 0) return -1;
    // A zero dimension must not hide an overflow in the others, so the product is taken over max(size, 1) first.
    count *= size === 0 ? 1 : size;
    if (!Number.isSafeInteger(count)) return -1;
  }
  return shape.includes(0) ? 0 : count;
}
