/** Longest wait that is believed: whoever asks for more is as good as gone, and nobody plans by it. */
export const MAX_RETRY_AFTER_MS = 3_600_000;

const SECONDS = /^\d{1,10}$/;
/** The three forms of RFC 9110, 5.6.7: IMF-fixdate, and the older ones of RFC 850 and of asctime, which names no zone and means GMT. */
const DATE =
  /^(?:[A-Z][a-z]{2,8}, \d{2}[ -][A-Z][a-z]{2}[ -]\d{2,4} \d{2}:\d{2}:\d{2} GMT|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4})$/;

/** Milliseconds that a `Retry-After` field asks to wait, as seconds or as a date; 0 where it asks for none or cannot be read. */
export function retryAfterMs(value: string, wallMs: number): number {
  if (SECONDS.test(value)) return Math.min(Number(value) * 1_000, MAX_RETRY_AFTER_MS);
  if (!DATE.test(value)) return 0;
  const atMs = Date.parse(value.endsWith('GMT') ? value : `${value} GMT`);
  return Number.isNaN(atMs) ? 0 : Math.min(Math.max(atMs - wallMs, 0), MAX_RETRY_AFTER_MS);
}
