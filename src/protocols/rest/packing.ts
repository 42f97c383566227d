import { constants, createDeflate, createGzip } from 'node:zlib';
import type { RequestContext } from '../../core/context.ts';
import type { Maybe } from '../../core/verdict.ts';
import { acceptedCoding } from './media.ts';

/** Answers that their callers want packed, done on the thread pool. */

/** Smaller ones gain nothing on the wire. */
const LEAST_BYTES = 1_024;
/** The fastest level: tensors hardly shrink, and JSON does at any level. */
const OPTIONS = { level: constants.Z_BEST_SPEED, chunkSize: 65_536 };
/** A packer holds 256 KiB. Past so many at the same time answers go out as they are, which is always allowed. */
const MOST_AT_ONCE = 64;

let running = 0;

/** Packs the reply of `ctx` if its caller asks for that and it is worth it. */
export function packReply(ctx: RequestContext): Maybe<void> {
  const coding = acceptedCoding(ctx.head.header('accept-encoding'));
  if (coding === 'identity' || coding === 'other' || running >= MOST_AT_ONCE) return;
  const size = sizeOf(ctx.reply.pieces);
  if (size <= LEAST_BYTES) return;
  return pack(ctx, coding, size);
}

async function pack(ctx: RequestContext, coding: 'gzip' | 'deflate', size: number): Promise<void> {
  running++;
  try {
    const packed = await packedPieces(ctx.reply.pieces, coding);
    if (sizeOf(packed) >= size) return;
    ctx.reply.pieces = packed;
    ctx.reply.headers.push('content-encoding', coding, 'vary', 'accept-encoding');
  } finally {
    running--;
  }
}

function packedPieces(pieces: readonly Uint8Array[], coding: 'gzip' | 'deflate'): Promise<Uint8Array[]> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array[]>();
  const engine = coding === 'gzip' ? createGzip(OPTIONS) : createDeflate(OPTIONS);
  const packed: Uint8Array[] = [];
  engine.on('data', (chunk: Buffer) => packed.push(chunk));
  engine.on('end', () => resolve(packed));
  engine.on('error', reject);
  for (let i = 0; i < pieces.length; i++) engine.write(pieces[i]!);
  engine.end();
  return promise;
}

function sizeOf(pieces: readonly Uint8Array[]): number {
  let size = 0;
  for (let i = 0; i < pieces.length; i++) size += pieces[i]!.length;
  return size;
}
