import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TextMemo } from '../../../../src/wire/oip/text-memo.ts';

describe('TextMemo', () => {
  it('reads what stands there, whatever was read before', () => {
    const memo = new TextMemo();
    // More texts than there are places, many of them more than once.
    const text = fc.oneof(fc.string({ unit: 'binary-ascii', maxLength: 60 }), fc.constantFrom('', 'x', 'FP32', 'passed'));
    fc.assert(
      fc.property(fc.array(fc.tuple(text, fc.nat(3)), { maxLength: 40 }), (texts) => {
        for (const [one, before] of texts) {
          const bytes = Buffer.concat([Buffer.alloc(before, 0xff), Buffer.from(one, 'latin1'), Buffer.from([0xff])]);
          expect(memo.read(bytes, before, before + one.length)).toBe(one.length > 48 ? null : one);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('leaves to others what is not ASCII', () => {
    const memo = new TextMemo();
    expect(memo.read(Buffer.from('é'), 0, 2)).toBeNull();
    expect(memo.read(Buffer.from('a\u0080', 'latin1'), 0, 2)).toBeNull();
  });
});
