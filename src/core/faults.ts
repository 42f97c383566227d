/** The one catalogue of refusals: what the outside sees when a request does not get its answer. */

/** Who is to blame: drives alerts (upstream), quiet logs (client) and pages (gateway). */
export type Blame = 'client' | 'upstream' | 'gateway';

/** Whether the same work may be tried again: never, on another variant, or later by the caller. */
export type Retry = 'never' | 'elsewhere' | 'later';

/** One row. Frozen at start-up, so that a refusal points at it and allocates nothing. */
export interface FaultKind {
  /** Stable, upper-case; what dashboards and clients match on. */
  readonly code: string;
  /** HTTP status. */
  readonly http: number;
  /** gRPC status number. */
  readonly grpc: number;
  readonly blame: Blame;
  readonly retry: Retry;
  readonly message: string;
}

const row = (code: string, http: number, grpc: number, blame: Blame, retry: Retry, message: string): FaultKind =>
  Object.freeze({ code, http, grpc, blame, retry, message });

/** Unknown and forbidden models are the same row, so that nobody can list what others use. */
export const Fault = Object.freeze({
  Malformed: row('MALFORMED', 400, 3, 'client', 'never', 'The request is not well formed.'),
  BadRequest: row('BAD_REQUEST', 400, 3, 'client', 'never', 'The request does not match the model signature.'),
  KeyMissing: row('KEY_MISSING', 401, 16, 'client', 'never', 'No credential was sent.'),
  KeyUnknown: row('KEY_UNKNOWN', 401, 16, 'client', 'never', 'The credential is not known here.'),
  Forbidden: row('FORBIDDEN', 403, 7, 'client', 'never', 'The credential does not allow this.'),
  NotFound: row('NOT_FOUND', 404, 5, 'client', 'never', 'There is no such model, version or path.'),
  MethodNotAllowed: row('METHOD_NOT_ALLOWED', 405, 12, 'client', 'never', 'The path does not answer to this method.'),
  BodyTimeout: row('BODY_TIMEOUT', 408, 4, 'client', 'later', 'The body did not arrive in time.'),
  LengthRequired: row('LENGTH_REQUIRED', 411, 3, 'client', 'never', 'A Content-Length is required here.'),
  BodyTooLarge: row('BODY_TOO_LARGE', 413, 8, 'client', 'never', 'The body is larger than allowed.'),
  MediaType: row('MEDIA_TYPE', 415, 3, 'client', 'never', 'The content type or encoding is not supported.'),
  GuardBlocked: row('GUARD_BLOCKED', 422, 9, 'client', 'never', 'A guard refused the content.'),
  RateLimited: row('RATE_LIMITED', 429, 8, 'client', 'later', 'The request rate of this tenant is used up.'),
  TooManyInFlight: row('TOO_MANY_IN_FLIGHT', 429, 8, 'client', 'later', 'This tenant has too many requests in flight.'),
  BackendRefused: row('BACKEND_REFUSED', 400, 3, 'client', 'never', 'The backend refused the input.'),
  BackendBusy: row('BACKEND_BUSY', 429, 8, 'upstream', 'later', 'The backend refuses more work for now.'),
  HeadersTooLarge: row('HEADERS_TOO_LARGE', 431, 8, 'client', 'never', 'The header fields are larger than allowed.'),
  ClientGone: row('CLIENT_GONE', 499, 1, 'client', 'never', 'The client closed the connection.'),
  Bug: row('BUG', 500, 13, 'gateway', 'never', 'The gateway made a mistake.'),
  GuardFailed: row('GUARD_FAILED', 500, 13, 'gateway', 'never', 'A guard could not judge the content and fails closed.'),
  NotSupported: row('NOT_SUPPORTED', 501, 12, 'client', 'never', 'This is not supported here.'),
  BackendFailed: row('BACKEND_FAILED', 502, 14, 'upstream', 'never', 'The backend failed.'),
  BackendUnreachable: row('BACKEND_UNREACHABLE', 503, 14, 'upstream', 'elsewhere', 'The backend cannot be reached.'),
  BackendLied: row(
    'BACKEND_LIED',
    502,
    13,
    'upstream',
    'never',
    'The backend answered with something its signature does not allow.',
  ),
  NoVariant: row('NO_VARIANT', 503, 14, 'upstream', 'later', 'No variant of this model is available.'),
  Overloaded: row('OVERLOADED', 503, 14, 'gateway', 'later', 'The gateway is at its limit.'),
  Draining: row('DRAINING', 503, 14, 'gateway', 'later', 'The gateway is shutting down.'),
  BackendTimeout: row('BACKEND_TIMEOUT', 504, 4, 'upstream', 'never', 'The backend did not answer in time.'),
  DeadlineOver: row('DEADLINE_OVER', 504, 4, 'gateway', 'never', 'The deadline of the request passed.'),
} satisfies Record<string, FaultKind>);

/**
 * What a caller is told. Details of backend faults name files, nodes and addresses of ours, or repeat what a backend said about another
 * caller's rows: they are for the log alone.
 */
export function publicMessage(kind: FaultKind, detail: string): string {
  return detail === '' || kind.code.startsWith('BACKEND_') ? kind.message : `${kind.message} ${detail}`;
}

/** Thrown only where a promise must reject: the network, the disk, start-up. Never to refuse a request. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly kind: FaultKind;
  readonly detail: string;

  constructor(kind: FaultKind, detail = '', cause?: unknown) {
    super(detail === '' ? kind.message : `${kind.message} ${detail}`, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.detail = detail;
  }
}
