import type { Dispatcher } from 'undici';

type Body = NonNullable<Dispatcher.DispatchOptions['body']>;

/** Up to here a copy is cheaper than the package's way of sending pieces, which costs a promise and a system call each. */
const COPIED_BYTES = 65_536;

/** The pieces of a body as the package takes them: none, one, a small copy, or the pieces themselves. */
export function requestBody(pieces: readonly Uint8Array[]): Uint8Array | Body {
  if (pieces.length === 1) return pieces[0]!;
  let size = 0;
  for (let i = 0; i < pieces.length; i++) size += pieces[i]!.length;
  if (size <= COPIED_BYTES) return Buffer.concat(pieces, size);
  // The package takes whatever can be iterated and its types leave that out.
  return pieces as unknown as Body;
}
