import { GrpcStatus } from '../../../core/grpc-status.ts';
import { H2Error, type H2ErrorCode } from '../h2-error.ts';
import type { FieldList } from '../hpack/field-list.ts';

/** What the header fields, the HTTP status or the reset of an answer mean as a status of gRPC. */

const COLON = 0x3a;

/** RFC 9113, 8.3.2: an answer has one pseudo-header field, and it stands first. */
export function isAnswerHead(fields: FieldList): boolean {
  return fields.count > 0 && fields.names[0] === ':status' && isStatus(fields.values[0]!) && hasNoPseudo(fields, 1);
}

const ZERO = 0x30;
const NINE = 0x39;

/** Three digits (RFC 9110, 15). */
function isStatus(value: string): boolean {
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) < ZERO || value.charCodeAt(i) > NINE) return false;
  return value.length === 3;
}

/** RFC 9113, 8.1: trailers have none. */
export function hasNoPseudo(fields: FieldList, from: number): boolean {
  for (let i = from; i < fields.count; i++) if (fields.names[i]!.charCodeAt(0) === COLON) return false;
  return true;
}

const GRPC_TYPE = 'application/grpc';

export function isGrpcType(type: string | null): boolean {
  if (type === GRPC_TYPE) return true;
  if (type === null || !type.startsWith(GRPC_TYPE)) return false;
  const next = type[GRPC_TYPE.length];
  return next === '+' || next === ';';
}

/** The mapping that gRPC prescribes for proxies that know nothing of it. */
export function statusOfHttp(httpStatus: string): number {
  switch (httpStatus) {
    case '400':
      return GrpcStatus.Internal;
    case '401':
      return GrpcStatus.Unauthenticated;
    case '403':
      return GrpcStatus.PermissionDenied;
    case '404':
      return GrpcStatus.Unimplemented;
    case '429':
    case '502':
    case '503':
    case '504':
      return GrpcStatus.Unavailable;
    default:
      return GrpcStatus.Unknown;
  }
}

/**
 * The mapping that gRPC prescribes for RST_STREAM. A server that ends late calls itself says CANCEL, and may be heard before our own alarm rings;
 * grpc-go tells the two apart in the same way.
 */
export function statusOfReset(code: H2ErrorCode, isLate: boolean): number {
  switch (code) {
    case H2Error.RefusedStream:
      return GrpcStatus.Unavailable;
    case H2Error.Cancel:
      return isLate ? GrpcStatus.DeadlineExceeded : GrpcStatus.Cancelled;
    case H2Error.EnhanceYourCalm:
      return GrpcStatus.ResourceExhausted;
    case H2Error.InadequateSecurity:
      return GrpcStatus.PermissionDenied;
    default:
      return GrpcStatus.Internal;
  }
}

const DIGITS = /^\d{1,9}$/;

/** `grpc-status`; one that is no number is Unknown. */
export function statusOf(text: string): number {
  return text === '0' ? GrpcStatus.Ok : DIGITS.test(text) ? Number(text) : GrpcStatus.Unknown;
}

const PERCENT = 0x25;

/** `grpc-message` is percent-encoded UTF-8; what is not encoded as it should be stays as it is. */
export function messageOf(text: string): string {
  if (!text.includes('%')) return text;
  const octets = Buffer.alloc(text.length);
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const value = text.charCodeAt(i) === PERCENT ? hexAt(text, i + 1) : -1;
    octets[count++] = value < 0 ? text.charCodeAt(i) : value;
    if (value >= 0) i += 2;
  }
  return octets.toString('utf8', 0, count);
}

function hexAt(text: string, at: number): number {
  const digits = text.slice(at, at + 2);
  return /^[0-9a-fA-F]{2}$/.test(digits) ? Number.parseInt(digits, 16) : -1;
}
