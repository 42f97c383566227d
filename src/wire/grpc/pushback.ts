import type { Metadata } from '@grpc/grpc-js';
import { MAX_RETRY_AFTER_MS, retryAfterMs } from '../http/retry-after.ts';

/** The server says that the call is not to be tried again. */
export const NO_RETRY = -1;

const MILLISECONDS = /^\d{1,10}$/;

/**
 * Milliseconds that trailing metadata asks to wait before the next try; 0 where it says nothing. Negative, and by gRPC's proposal A6
 * anything else that is no number, is NO_RETRY. `retry-after` is what HTTP servers and proxies send, this gateway among them.
 */
export function pushbackMs(metadata: Metadata, wallMs: number): number {
  return askedWaitMs(textOf(metadata, 'grpc-retry-pushback-ms'), textOf(metadata, 'retry-after'), wallMs);
}

/** The same of the two fields themselves, null where one is not there. */
export function askedWaitMs(pushback: string | null, retryAfter: string | null, wallMs: number): number {
  if (pushback === null) return retryAfterMs(retryAfter ?? '', wallMs);
  return MILLISECONDS.test(pushback) ? Math.min(Number(pushback), MAX_RETRY_AFTER_MS) : NO_RETRY;
}

function textOf(metadata: Metadata, name: string): string | null {
  const value = metadata.get(name)[0];
  return value === undefined ? null : String(value);
}
