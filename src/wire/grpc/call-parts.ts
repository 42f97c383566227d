import type { ServerHttp2Stream } from 'node:http2';
import type { Metadata } from '@grpc/grpc-js';

/** What calls of one message and calls of many have in common on the server's side. */

/** Clients drop a call whose trailers are larger than they allow, often 8 KiB; percent-encoding makes up to nine of each character. */
const MAX_MESSAGE_CHARS = 768;

/** The package keeps a grant in 32 bits: 30 days wrap around to a deadline weeks ago. Anything that far back was meant as "long". */
const WRAPPED_MS = -1_000;

export function grantedMs(deadlineWallMs: number): number {
  if (deadlineWallMs === Number.POSITIVE_INFINITY) return 0;
  const leftMs = deadlineWallMs - Date.now();
  return leftMs < WRAPPED_MS ? 0 : Math.max(1, leftMs);
}

/** The package percent-encodes what it sends, and throws at half a surrogate pair. */
export function safeMessage(message: string): string {
  return (message.length > MAX_MESSAGE_CHARS ? `${message.slice(0, MAX_MESSAGE_CHARS)}…` : message).toWellFormed();
}

export function joined(pieces: readonly Uint8Array[]): Buffer {
  if (pieces.length !== 1) return Buffer.concat(pieces);
  const piece = pieces[0]!;
  return Buffer.isBuffer(piece) ? piece : Buffer.from(piece.buffer, piece.byteOffset, piece.length);
}

/** The value of a metadata entry by its lower-case name; empty when it is absent, binary, or there is more than one. */
export function valueIn(metadata: Metadata, name: string): string {
  const values = metadata.get(name);
  const value = values[0];
  return values.length === 1 && typeof value === 'string' ? value : '';
}

/** The status that went out, or -1 when none did. */
export function statusSentOn(stream: ServerHttp2Stream): number {
  const { sentHeaders, sentTrailers } = stream;
  const status = (sentTrailers ?? sentHeaders)?.['grpc-status'];
  return status === undefined ? -1 : Number(status);
}

export const nothing = (): void => undefined;
