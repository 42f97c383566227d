import { gunzip, inflate } from 'node:zlib';
import { GrpcStatus } from '../../../core/grpc-status.ts';

/** Who waits for an unpacked message: one of the two, later, once. */
export interface UnpackSink {
  onUnpacked(message: Buffer): void;
  onSpoiled(status: number, text: string): void;
}

/** Unpacks a compressed message outside the event loop's own time. False where nobody here knows the encoding. */
export function unpack(encoding: string, message: Buffer, maxBytes: number, sink: UnpackSink): boolean {
  if (encoding !== 'gzip' && encoding !== 'deflate') return false;
  const method = encoding === 'gzip' ? gunzip : inflate;
  method(message, { maxOutputLength: Math.max(1, maxBytes) }, (error, whole) => {
    if (error === null) sink.onUnpacked(whole);
    else if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      sink.onSpoiled(GrpcStatus.ResourceExhausted, `The message unfolds to more than ${maxBytes} bytes.`);
    } else sink.onSpoiled(GrpcStatus.Internal, 'The message could not be decompressed.');
  });
  return true;
}
