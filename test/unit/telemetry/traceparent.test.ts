import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatTraceparent, parseTraceparent } from '../../../src/telemetry/traceparent.ts';

const VALID = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

const hex = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const id = (length: number): fc.Arbitrary<string> => hex(length).filter((text) => !/^0+$/.test(text));

/** The specification as one regular expression and the exceptions to it. */
function naiveParse(value: string): { traceId: string; spanId: string; flags: number } | null {
  const found = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/s.exec(value);
  if (found === null) return null;
  const [, version, traceId, spanId, flags, rest] = found;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return null;
  if (/^0+$/.test(traceId!) || /^0+$/.test(spanId!)) return null;
  return { traceId: traceId!, spanId: spanId!, flags: Number.parseInt(flags!, 16) & 3 };
}

describe('traceparent', () => {
  it('reads the example of the specification', () => {
    expect(parseTraceparent(VALID)).toEqual({
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      spanId: '00f067aa0ba902b7',
      flags: 1,
    });
  });

  it.each([
    ['nothing', ''],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`],
    ['a parent id of zeros', `00-4bf92f3577b34da6a3ce929d0e0e4736-${'0'.repeat(16)}-01`],
    ['upper case', VALID.toUpperCase()],
    ['the version that is reserved', `ff${VALID.slice(2)}`],
    ['version 00 with more behind it', `${VALID}-00`],
    ['a later version whose next field is not set off', `01${VALID.slice(2)}0`],
    ['white space', ` ${VALID}`],
    ['two headers joined', `${VALID}, ${VALID}`],
    ['a digit too few', VALID.slice(0, -1)],
  ])('refuses %s', (_what, value) => {
    expect(parseTraceparent(value)).toBeNull();
  });

  it.each([`cc${VALID.slice(2)}`, `cc${VALID.slice(2)}-what-comes`])('reads the known fields of a later version: %s', (value) => {
    expect(parseTraceparent(value)).toEqual(parseTraceparent(VALID));
  });

  it('keeps only flags that it knows', () => {
    expect(parseTraceparent(`${VALID.slice(0, -2)}ff`)?.flags).toBe(3);
  });

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(id(32), id(16), fc.integer({ min: 0, max: 3 }), (traceId, spanId, flags) => {
        const text = formatTraceparent(traceId, spanId, flags);
        expect(text).toHaveLength(55);
        expect(parseTraceparent(text)).toEqual({ traceId, spanId, flags });
      }),
    );
  });

  it('agrees with a naive reader on near misses', () => {
    const near = fc
      .tuple(hex(2), fc.oneof(hex(32), fc.constant('0'.repeat(32))), fc.oneof(hex(16), fc.constant('0'.repeat(16))), hex(2))
      .map((parts) => parts.join('-'));
    const broken = fc
      .tuple(near, fc.integer({ min: 0, max: 56 }), fc.constantFrom('', '-', 'g', 'A', '0', '-x', '\n'))
      .map(([text, at, put]) => text.slice(0, at) + put + text.slice(at + (put === '' ? 1 : 0)));
    fc.assert(
      fc.property(fc.oneof(near, broken, fc.string()), (value) => {
        expect(parseTraceparent(value)).toEqual(naiveParse(value));
      }),
      { numRuns: 500 },
    );
  });
});
