/** What a caller gives to and hears of an HTTP exchange; nothing here knows the package underneath. */

/** One request. */
export interface HttpQuestion {
  readonly method: 'GET' | 'POST';
  /** Begins with a slash; made of checked names alone. */
  readonly path: string;
  /** name, value, name, value */
  readonly headers: string[];
  /** The body, in pieces that are sent as they are. */
  readonly pieces: readonly Uint8Array[];
  /** For the whole exchange, the wait for a connection included. */
  readonly timeoutMs: number;
  /** Largest body taken. */
  readonly maxAnswerBytes: number;
  /** Asking twice does no harm: a kept connection that the server had closed meanwhile is asked anew, once (RFC 9110, 9.2.2). */
  readonly repeatable: boolean;
}

/** A whole answer, unpacked. */
export interface HttpAnswer {
  readonly status: number;
  /** The value of a header field by its lower-case name; empty when absent, joined by commas when it came more than once. */
  field(name: string): string;
  /** Of an answer other than 200 at most the first 64 KiB. */
  readonly body: Buffer;
}

/** How an exchange ends without an answer. */
export const HttpEnd = {
  /** No connection could be made, so nothing was sent. */
  Unreachable: 0,
  /** The connection died before the end of the answer. */
  Lost: 1,
  TimedOut: 2,
  /** The body is larger than the caller takes. */
  Oversized: 3,
  /** What came is not HTTP, or not packed as it says. */
  Garbled: 4,
  Cancelled: 5,
} as const;
export type HttpEnd = (typeof HttpEnd)[keyof typeof HttpEnd];

/** Hears exactly one of the two, once, never from inside the call that began or cancelled the exchange. */
export interface HttpSink {
  onAnswer(answer: HttpAnswer): void;
  /** `detail` is the package's or the system's word for it. `sent` says whether the server may have seen the request. */
  onEnd(end: HttpEnd, detail: string, sent: boolean): void;
}

export interface HttpCall {
  /** Idempotent. The sink hears Cancelled, unless its end is on the way already; the connection is closed if the request was sent. */
  cancel(): void;
}
