/** Up to here a loop is faster than a call out of the engine. */
const SHORT_COPY = 64;

/** Copies `bytes` to `at`, where there is room; answers where the next ones go. @hot */
export function putBytes(out: Uint8Array, at: number, bytes: Uint8Array): number {
  const size = bytes.length;
  if (size > SHORT_COPY) out.set(bytes, at);
  else for (let i = 0; i < size; i++) out[at + i] = bytes[i]!;
  return at + size;
}
