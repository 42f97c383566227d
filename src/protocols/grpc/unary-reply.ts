import type { RequestContext } from '../../core/context.ts';
import { Fault, publicMessage } from '../../core/faults.ts';

/** How every answer over gRPC is laid into the reply: one message and a status, or a status alone. */

const CONTENT_TYPE = 'application/grpc';
const NO_PIECES: readonly Uint8Array[] = [];
const EMPTY = new Uint8Array(0);

/** The message as one run of bytes; copied only where it came in several pieces. */
export function messageOf(ctx: RequestContext): Uint8Array {
  const pieces = ctx.body;
  if (pieces.length === 0) return EMPTY;
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

export function writeMessage(ctx: RequestContext, message: Uint8Array): void {
  const reply = ctx.reply;
  // Over HTTP a gRPC answer is always a 200; the status that counts is in its trailers.
  reply.status = 200;
  reply.grpc = 0;
  reply.contentType = CONTENT_TYPE;
  reply.pieces = [message];
}

export function writeFault(ctx: RequestContext): void {
  const fault = ctx.fault ?? Fault.Bug;
  const reply = ctx.reply;
  reply.status = 200;
  reply.grpc = fault.grpc;
  // The status message travels percent-encoded, and half a surrogate pair cannot be.
  reply.message = publicMessage(fault, ctx.faultDetail).toWellFormed();
  reply.contentType = CONTENT_TYPE;
  reply.headers.push('x-sluice-fault', fault.code);
  reply.pieces = NO_PIECES;
}
