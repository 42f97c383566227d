import { Fault, type FaultKind } from '../../core/faults.ts';
import { GrpcStatus, grpcStatusName } from '../../core/grpc-status.ts';

/** The row of the catalogue that a backend's status becomes; null stands for "the backend failed" and nothing more precise. */
const FAULTS: ReadonlyMap<number, FaultKind> = new Map([
  [GrpcStatus.InvalidArgument, Fault.BackendRefused],
  [GrpcStatus.OutOfRange, Fault.BackendRefused],
  [GrpcStatus.DeadlineExceeded, Fault.BackendTimeout],
  [GrpcStatus.ResourceExhausted, Fault.BackendBusy],
  [GrpcStatus.Unavailable, Fault.BackendUnreachable],
]);

/** What a sink is told of a call that ended with a status other than OK. */
export interface FaultyEnd {
  readonly kind: FaultKind;
  readonly detail: string;
  readonly reached: boolean;
  readonly retryAfterMs: number;
}

/** How the call ended, as the wire tells it. */
export interface StatusEnd {
  readonly status: number;
  readonly details: string;
  readonly sent: boolean;
  readonly pushbackMs: number;
}

export function endOf({ status, details, sent, pushbackMs }: StatusEnd, maxBytes: number): FaultyEnd {
  if (isOversizedAnswer(status, details, maxBytes)) {
    return { kind: Fault.BackendFailed, detail: `Its answer is larger than ${maxBytes} bytes.`, reached: true, retryAfterMs: 0 };
  }
  const kind = FAULTS.get(status) ?? Fault.BackendFailed;
  if (kind === Fault.BackendRefused) return { kind, detail: quotedText(details), reached: true, retryAfterMs: 0 };
  // No byte of an answer has come, and asking a model twice does no harm: so this counts as not reached.
  const retryAfterMs = kind.retry === 'never' ? 0 : pushbackMs;
  if (kind === Fault.BackendUnreachable) return { kind, detail: '', reached: false, retryAfterMs };
  return { kind, detail: kind === Fault.BackendFailed ? failureText(status) : '', reached: sent, retryAfterMs };
}

/** The server's own words may repeat what it was asked. */
function failureText(status: number): string {
  const name = grpcStatusName(status);
  if (status !== GrpcStatus.Unimplemented) return `It answered with ${name}.`;
  return `It answered with ${name}: the server does not serve this method. Check that it is a server of the Open Inference Protocol.`;
}

const MAX_TEXT_CHARS = 200;

/** Runs of space, and of what breaks lines or reorders them on a screen. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Z}]+/gu;

/** A backend's words as they may be repeated in logs: short, on one line, never half a surrogate pair. */
export function quotedText(text: string): string {
  const cut = text.slice(0, MAX_TEXT_CHARS).replace(UNPRINTABLE, ' ').trim();
  return (text.length > MAX_TEXT_CHARS ? `${cut}…` : cut).toWellFormed();
}

/** The package's own words when an answer is larger than it was told to take; a server's own refusal never states our limit. */
function isOversizedAnswer(status: number, details: string, maxBytes: number): boolean {
  if (status !== GrpcStatus.ResourceExhausted || !details.startsWith('Received message ')) return false;
  return details.endsWith(` vs ${maxBytes})`) || details.endsWith(` larger than ${maxBytes}`);
}
