/**
 * The `traceparent` header of W3C Trace Context.
 *
 *   00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
 *   version  trace id (32 hex)          parent id (16)   flags
 */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  /** The bits of version 00 that are known: 1 sampled, 2 the trace id is random. */
  readonly flags: number;
}

export const FLAG_SAMPLED = 1;
const KNOWN_FLAGS = 3;

const TRACE_ID_AT = 3;
const SPAN_ID_AT = 36;
const FLAGS_AT = 53;
const LENGTH = 55;
const DASH = 0x2d;

/** Null for anything the specification does not allow. Of a later version the four known fields are read, as it demands. @hot */
export function parseTraceparent(value: string): TraceParent | null {
  if (value.length < LENGTH || !isHex(value, 0, 2)) return null;
  const version = byteAt(value, 0);
  if (version === 0xff || (version === 0 && value.length !== LENGTH)) return null;
  if (value.length > LENGTH && value.charCodeAt(LENGTH) !== DASH) return null;
  if (!isDashed(value) || !isId(value, TRACE_ID_AT, 32) || !isId(value, SPAN_ID_AT, 16) || !isHex(value, FLAGS_AT, 2))
    return null;
  return {
    traceId: value.slice(TRACE_ID_AT, TRACE_ID_AT + 32),
    spanId: value.slice(SPAN_ID_AT, SPAN_ID_AT + 16),
    flags: byteAt(value, FLAGS_AT) & KNOWN_FLAGS,
  };
}

/** Always version 00, the highest known here. @hot */
export function formatTraceparent(traceId: string, spanId: string, flags: number): string {
  return `00-${traceId}-${spanId}-0${flags & KNOWN_FLAGS}`;
}

function isDashed(value: string): boolean {
  return value.charCodeAt(2) === DASH && value.charCodeAt(35) === DASH && value.charCodeAt(52) === DASH;
}

/** Hexadecimal and not all zero, which the specification keeps for "none". */
function isId(value: string, from: number, length: number): boolean {
  return isHex(value, from, length) && !isZero(value, from, length);
}

function isZero(value: string, from: number, length: number): boolean {
  for (let i = from; i < from + length; i++) {
    if (value.charCodeAt(i) !== 0x30) return false;
  }
  return true;
}

/** Digits and lower-case letters alone: the specification refuses upper case. */
function isHex(value: string, from: number, length: number): boolean {
  for (let i = from; i < from + length; i++) {
    if (nibble(value.charCodeAt(i)) < 0) return false;
  }
  return true;
}

function byteAt(value: string, at: number): number {
  return nibble(value.charCodeAt(at)) * 16 + nibble(value.charCodeAt(at + 1));
}

function nibble(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  return code >= 0x61 && code <= 0x66 ? code - 0x57 : -1;
}
