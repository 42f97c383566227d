/**
 * The layout of a BYTES tensor: for each element a 4-byte little-endian length and that many bytes, one after another.
 *
 *   03 00 00 00 'a' 'b' 'c' | 00 00 00 00 | 02 00 00 00 'h' 'i'
 */
const PREFIX_BYTES = 4;

/** Elements in `data`, or -1 when a length prefix points past the end. Allocates nothing. */
export function countByteStrings(data: Uint8Array): number {
  let count = 0;
  let at = 0;
  while (at < data.length) {
    if (at + PREFIX_BYTES > data.length) return -1;
    at += PREFIX_BYTES + lengthAt(data, at);
    if (at > data.length) return -1;
    count++;
  }
  return count;
}

/** Views on the elements. `data` must have passed `countByteStrings`. */
export function splitByteStrings(data: Uint8Array): Uint8Array[] {
  const elements: Uint8Array[] = [];
  let at = 0;
  while (at + PREFIX_BYTES <= data.length) {
    const length = lengthAt(data, at);
    elements.push(data.subarray(at + PREFIX_BYTES, at + PREFIX_BYTES + length));
    at += PREFIX_BYTES + length;
  }
  return elements;
}

/** The inverse of `splitByteStrings`, in fresh bytes. */
export function joinByteStrings(elements: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (let i = 0; i < elements.length; i++) size += PREFIX_BYTES + elements[i]!.length;
  const joined = Buffer.allocUnsafe(size);
  let at = 0;
  for (let i = 0; i < elements.length; i++) {
    const element = elements[i]!;
    joined.writeUInt32LE(element.length, at);
    joined.set(element, at + PREFIX_BYTES);
    at += PREFIX_BYTES + element.length;
  }
  return joined;
}

function lengthAt(data: Uint8Array, at: number): number {
  // The last byte is multiplied, not shifted: a shift by 24 would turn lengths past 2 GiB negative.
  return data[at]! + (data[at + 1]! << 8) + (data[at + 2]! << 16) + data[at + 3]! * 0x1000000;
}
