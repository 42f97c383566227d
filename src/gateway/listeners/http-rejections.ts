import { STATUS_CODES } from 'node:http';
import { Fault, type FaultKind } from '../../core/faults.ts';

/** Refusals that an HTTP listener speaks itself: nothing was dispatched, and the connection closes after the answer. */
export interface Rejection {
  readonly kind: FaultKind;
  /** Fixed text, never a byte of the request, so that it is safe in logs. */
  readonly reason: string;
  /** The JSON body. */
  readonly body: Buffer;
  /** The whole answer, for where no request could be read. */
  readonly raw: Buffer;
}

export const HttpRejection = Object.freeze({
  Version: row(Fault.Malformed, 'The HTTP version is neither 1.0 nor 1.1.'),
  Target: row(Fault.Malformed, 'The request target is not a path that begins with one slash.'),
  Path: row(
    Fault.Malformed,
    'The path is not canonical: it has an empty or a dot segment, a fragment, or an escape or a byte that could hide one.',
  ),
  Connect: row(Fault.Malformed, 'This is not a proxy: CONNECT is not taken.'),
  Host: row(Fault.Malformed, 'Exactly one Host with a name in it is expected.'),
  Twice: row(Fault.Malformed, 'A header field that must stand once stands twice.'),
  ContentLength: row(Fault.Malformed, 'Content-Length is not a plain number.'),
  BodyOnRead: row(Fault.Malformed, 'This method takes no body.'),
  Expectation: row(Fault.Malformed, 'The only expectation taken is 100-continue.'),
  TransferEncoding: row(Fault.LengthRequired, 'Transfer-Encoding is not taken: state a Content-Length.'),
  Fields: row(Fault.HeadersTooLarge, 'There are too many header fields.'),
  HeaderBytes: row(Fault.HeadersTooLarge, 'The header fields have too many bytes.'),
  Pipelined: row(Fault.Overloaded, 'Too many requests on this connection wait for their answers.'),
  Syntax: row(Fault.Malformed, 'This is not HTTP/1.1 as the standard writes it.'),
  HeadersTimeout: row(Fault.BodyTimeout, 'The header fields did not arrive in time.'),
  Connections: row(Fault.Overloaded, 'The listener has as many connections as it may have.'),
  Descriptors: row(Fault.Overloaded, 'The process is near its limit of open files.'),
  Reply: row(Fault.Bug, 'The answer held a header field or a status that cannot be sent.'),
});

function row(kind: FaultKind, reason: string): Rejection {
  const body = Buffer.from(JSON.stringify({ error: reason, code: kind.code }));
  const head =
    `HTTP/1.1 ${kind.http} ${STATUS_CODES[kind.http]}\r\n` +
    `content-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`;
  return Object.freeze({ kind, reason, body, raw: Buffer.concat([Buffer.from(head, 'latin1'), body]) });
}
