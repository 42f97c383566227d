import type { H2ErrorCode } from '../h2-error.ts';

/**
 * Who acts on the frames of a connection. Lengths, padding, stream ids that must or must not be zero and the order of header blocks have
 * been checked; everything else has not. Each answers H2Error.None, or the connection error at which reading stops for good.
 *
 * Buffers are lent: what they hold is there during the call alone.
 */
export interface FrameSink {
  /** A DATA frame begins. `flowBytes` is what it takes from both windows, padding included (RFC 9113, 6.9.1). */
  onDataStart(streamId: number, flowBytes: number): H2ErrorCode;
  /** Some of what that frame carries, at least one byte. */
  onDataBytes(streamId: number, chunk: Buffer, from: number, to: number): H2ErrorCode;
  onDataEnd(streamId: number, endStream: boolean): H2ErrorCode;
  /** A whole header block, from however many frames. */
  onHeaders(streamId: number, endStream: boolean, block: Buffer, from: number, to: number): H2ErrorCode;
  onReset(streamId: number, code: H2ErrorCode): H2ErrorCode;
  onSettings(payload: Buffer, from: number, to: number): H2ErrorCode;
  onSettingsAck(): H2ErrorCode;
  /** Eight bytes from `from`. */
  onPing(payload: Buffer, from: number): H2ErrorCode;
  onPingAck(payload: Buffer, from: number): H2ErrorCode;
  onGoAway(lastStreamId: number, code: H2ErrorCode, payload: Buffer, debugFrom: number, to: number): H2ErrorCode;
  /** Stream 0 is the connection. An increment of 0 is an error that depends on the stream (RFC 9113, 6.9). */
  onWindowUpdate(streamId: number, increment: number): H2ErrorCode;
  /** PRIORITY, which means nothing any more (RFC 9113, 5.3.2), and types that nobody knows (RFC 9113, 5.5). */
  onIgnored(type: number): H2ErrorCode;
}
