import { TraceIds } from '../telemetry/trace-ids.ts';

/** Ids longer than this, or with other characters, are replaced: they go into logs and headers as they are. */
const OWN_ID = /^[A-Za-z0-9._:-]{1,64}$/;

/**
 * 32 hexadecimal digits. Random and not counted, since an id may decide which variant a request goes to, and a count would tell callers how
 * many others there are.
 */
const fresh = new TraceIds();

/** The caller's id when it is safe to repeat, else a fresh one. @hot */
export function requestIdOf(stated: string): string {
  return stated !== '' && OWN_ID.test(stated) ? stated : fresh.traceId();
}
