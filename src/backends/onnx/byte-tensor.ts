import { splitByteStrings } from '../../core/byte-strings.ts';

/** BYTES tensors as the runtime knows them: lists of strings. Runs in a thread, so that the main one never decodes text. */

/** The caller's bytes cannot become a string tensor. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

const PREFIX_BYTES = 4;
// A byte order mark belongs to the caller's text.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Throws an InputError for text that the runtime would change. */
export function stringsOf(input: string, data: Uint8Array): string[] {
  const elements = splitByteStrings(data);
  const strings: string[] = new Array(elements.length);
  for (let i = 0; i < elements.length; i++) {
    const element = elements[i]!;
    // The runtime takes C strings: "a\0b" would become "a" without a word.
    if (element.includes(0))
      throw new InputError(`element ${i} of input "${input}" holds a NUL byte, which ends a string in onnxruntime`);
    strings[i] = decode(input, i, element);
  }
  return strings;
}

function decode(input: string, index: number, element: Uint8Array): string {
  try {
    return utf8.decode(element);
  } catch {
    throw new InputError(`element ${index} of input "${input}" is not UTF-8, and onnxruntime takes text only`);
  }
}

/** The layout of a BYTES tensor in a buffer of its own: the pooled one of `joinByteStrings` must not be transferred. */
export function bytesOf(strings: readonly string[]): ArrayBuffer {
  const sizes = new Float64Array(strings.length);
  let total = 0;
  for (let i = 0; i < strings.length; i++) {
    sizes[i] = Buffer.byteLength(strings[i]!);
    total += PREFIX_BYTES + sizes[i]!;
  }
  const buffer = new ArrayBuffer(total);
  const bytes = Buffer.from(buffer);
  let at = 0;
  for (let i = 0; i < strings.length; i++) {
    at = bytes.writeUInt32LE(sizes[i]!, at);
    at += bytes.write(strings[i]!, at);
  }
  return buffer;
}
