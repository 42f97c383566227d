import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineBytes } from '../../../src/telemetry/line-bytes.ts';

const written = (write: (line: LineBytes) => void): string => {
  const line = new LineBytes(Buffer.alloc(4_096));
  write(line);
  return line.bytes.toString('utf8', 0, line.length);
};
const textOf = (value: string, limit = 500): string => written((line) => line.text(value, limit));

describe('LineBytes', () => {
  it('writes texts that a parser of JSON reads back, cut where they are too long', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), fc.integer({ min: 0, max: 40 }), (a, b, limit) => {
        const line = written((line) => {
          line.raw(Buffer.from('["'));
          line.text(a, 500);
          line.raw(Buffer.from('","'));
          line.text(b, limit);
          line.raw(Buffer.from('"]'));
        });
        expect(JSON.parse(line)).toEqual([a, b.slice(0, limit)]);
      }),
    );
  });

  it('writes six bytes at most for a character, and no line feed or other control', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const text = textOf(value);
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(6 * value.length);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there.
        expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202e]/);
      }),
    );
  });

  it('escapes what terminals obey and what turns text around', () => {
    expect(textOf('\u001b[31m\u009b\u202e"\\')).toBe('\\u001b[31m\\u009b\\u202e\\"\\\\');
  });

  it('escapes the half of a character that a cut has left', () => {
    expect(textOf('ab😀', 3)).toBe('ab\\ud83d');
  });

  it('writes numbers as the language does, rounded to whole ones', () => {
    const numbers = fc.oneof(
      fc.integer(),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true, min: -1e15, max: 1e15 }),
      fc.constantFrom(0, -0, 0.4, 9, 10, 999_999_999, 1e9, 1e9 + 1, 1_700_000_000_000, 1e18, 2 ** 53),
    );
    fc.assert(
      fc.property(numbers, (value) => {
        expect(written((line) => line.integer(value))).toBe(`${Math.round(value)}`);
      }),
    );
  });
});
