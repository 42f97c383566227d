import { Fault, type FaultKind } from '../../core/faults.ts';
import { HttpEnd } from '../../wire/http/http-sink.ts';

/** The row of the catalogue that a status other than 200 becomes. Everything else is "the backend failed" and nothing more precise. */
const FAULTS: ReadonlyMap<number, FaultKind> = new Map([
  [400, Fault.BackendRefused],
  [408, Fault.BackendTimeout],
  [422, Fault.BackendRefused],
  [429, Fault.BackendBusy],
  [503, Fault.BackendUnreachable],
  [504, Fault.BackendTimeout],
]);

export const faultOfStatus = (status: number): FaultKind => FAULTS.get(status) ?? Fault.BackendFailed;

/** The row that an exchange without an answer becomes. */
export function faultOfEnd(end: HttpEnd): FaultKind {
  switch (end) {
    case HttpEnd.Unreachable:
    // Its connection died before the end of the answer: another may be asked, as over gRPC.
    case HttpEnd.Lost:
      return Fault.BackendUnreachable;
    case HttpEnd.Oversized:
      return Fault.BackendFailed;
    case HttpEnd.TimedOut:
      return Fault.BackendTimeout;
    case HttpEnd.Garbled:
      return Fault.BackendLied;
    case HttpEnd.Cancelled:
      return Fault.ClientGone;
    default:
      return end satisfies never;
  }
}
