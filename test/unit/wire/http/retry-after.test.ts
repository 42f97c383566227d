import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_RETRY_AFTER_MS, retryAfterMs } from '../../../../src/wire/http/retry-after.ts';

const NOW = Date.parse('Sun, 06 Nov 1994 08:49:00 GMT');

describe('a Retry-After field', () => {
  it.each([
    ['0', 0],
    ['1', 1_000],
    ['3600', 3_600_000],
    ['3601', MAX_RETRY_AFTER_MS],
    ['9999999999', MAX_RETRY_AFTER_MS],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 37_000],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 37_000],
    ['Sun Nov  6 08:49:37 1994', 37_000],
    ['Sun, 06 Nov 1994 08:48:00 GMT', 0],
    ['Sun, 06 Nov 2094 08:49:37 GMT', MAX_RETRY_AFTER_MS],
  ])('asks to wait: %s', (value, ms) => {
    expect(retryAfterMs(value, NOW)).toBe(ms);
  });

  it.each(['', '-1', '1.5', '1e3', ' 5', '5, 5', '99999999999', 'soon', 'Sun, 99 Nov 1994 99:99:99 GMT', '2094-11-06T08:49:37Z'])(
    'asks for nothing that can be read: %j',
    (value) => {
      expect(retryAfterMs(value, NOW)).toBe(0);
    },
  );

  it('asks for a whole number of milliseconds within an hour, whatever it says', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.date().map(String), fc.integer().map(String)), (value) => {
        const ms = retryAfterMs(value, NOW);
        expect(Number.isSafeInteger(ms) && ms >= 0 && ms <= MAX_RETRY_AFTER_MS).toBe(true);
      }),
      { seed: 20_262 },
    );
  });

  it('reads a date that any clock writes as the time up to it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000 }), (seconds) => {
        const date = new Date(NOW + seconds * 1_000).toUTCString();
        expect(retryAfterMs(date, NOW)).toBe(retryAfterMs(String(seconds), NOW));
      }),
      { seed: 20_262 },
    );
  });
});
