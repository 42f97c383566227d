import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../../../src/core/inference.ts';
import { floats } from '../fakes.ts';
import { comparerFor, doubles, halves, labels, unaligned } from './policies.ts';

const comparer = comparerFor();
const argmaxAgreement = (a: readonly Tensor[], b: readonly Tensor[]): string => comparer.compare(a, b).agreement;

describe('answers that agree by argmax', () => {
  it('compares where the largest value is, not how large it is', () => {
    expect(argmaxAgreement([floats([0.1, 0.9])], [floats([0.4, 0.6])])).toBe('agreed');
    expect(argmaxAgreement([floats([0.1, 0.9])], [floats([0.6, 0.4])])).toBe('disagreed');
  });

  it('wants all rows to agree', () => {
    const one = floats([1, 2, 4, 3], [2, 2]);
    expect(argmaxAgreement([one], [floats([1, 2, 9, 3], [2, 2])])).toBe('agreed');
    expect(argmaxAgreement([one], [floats([1, 2, 3, 9], [2, 2])])).toBe('disagreed');
  });

  it('takes rows along the last dimension of any shape', () => {
    const one = floats([1, 2, 4, 3], [1, 2, 1, 2]);
    expect(argmaxAgreement([one], [floats([0, 1, 1, 0], [1, 2, 1, 2])])).toBe('agreed');
  });

  it('takes the first of equal values on both sides', () => {
    expect(argmaxAgreement([floats([5, 5])], [floats([7, 1])])).toBe('agreed');
    expect(argmaxAgreement([floats([-0, 0])], [floats([0, -0])])).toBe('agreed');
  });

  it('does not let a NaN pass for an answer', () => {
    const { NaN: nan, NEGATIVE_INFINITY: least } = Number;
    expect(argmaxAgreement([floats([1, 2])], [floats([nan, 2])])).toBe('disagreed');
    expect(argmaxAgreement([floats([nan, 2])], [floats([1, nan])])).toBe('agreed');
    expect(argmaxAgreement([floats([least, least])], [floats([least, least])])).toBe('agreed');
  });

  it('compares across float datatypes, as for a quantised shadow', () => {
    const one = [floats([-1, 0.5, 2])];
    expect(argmaxAgreement(one, [doubles([-1, 0.5, 2])])).toBe('agreed');
    expect(argmaxAgreement(one, [halves('FP16', [0xbc00, 0x3800, 0x4000])])).toBe('agreed');
    expect(argmaxAgreement(one, [halves('BF16', [0xbf80, 0x3f00, 0x4000])])).toBe('agreed');
    expect(argmaxAgreement(one, [halves('FP16', [0x3c00, 0x3800, 0xc000])])).toBe('disagreed');
  });

  it('knows NaN and infinity among 16-bit floats', () => {
    const one = [floats([1, 2])];
    expect(argmaxAgreement(one, [halves('FP16', [0x7bff, 0x7c00])])).toBe('agreed');
    expect(argmaxAgreement(one, [halves('FP16', [0x3c00, 0x7e00])])).toBe('disagreed');
    expect(argmaxAgreement(one, [halves('BF16', [0x3f80, 0xffc0])])).toBe('disagreed');
  });

  it('reads bytes that came unaligned', () => {
    expect(argmaxAgreement([unaligned(floats([1, 2]))], [unaligned(doubles([1, 2]))])).toBe('agreed');
  });

  it('finds outputs by name, in the order of the first answer', () => {
    const a = [floats([1, 2], [1, 2], 'x'), floats([1, 2], [1, 2], 'y')];
    const b = [floats([2, 1], [1, 2], 'y'), floats([1, 2], [1, 2], 'x')];
    expect(argmaxAgreement(a, b)).toBe('agreed');
    expect(argmaxAgreement(b, a)).toBe('disagreed');
  });

  it('compares integers exactly where there are no floats to rank', () => {
    expect(argmaxAgreement([labels([1, 2])], [labels([1, 2])])).toBe('agreed');
    expect(argmaxAgreement([labels([1, 2])], [labels([1, 3])])).toBe('disagreed');
    expect(argmaxAgreement([labels([1])], [labels([1], 'UINT32')])).toBe('incomparable');
  });

  it('prefers floats to integers, whatever their order', () => {
    const a = [labels([1]), floats([1, 2])];
    expect(argmaxAgreement(a, [labels([2]), floats([1, 2])])).toBe('agreed');
  });

  it('passes over a score that has nothing beside it, of which any is the largest', () => {
    expect(argmaxAgreement([floats([0.1], [1, 1])], [floats([0.9], [1, 1])])).toBe('incomparable');
    const a = [floats([0.1], [1, 1]), labels([1])];
    expect(argmaxAgreement(a, [floats([0.9], [1, 1]), labels([1])])).toBe('agreed');
  });

  it('has nothing to compare for other names, shapes, texts, no rows or no outputs', () => {
    const text: Tensor = { name: 'text', datatype: 'BYTES', shape: [1], data: Uint8Array.from([1, 0, 0, 0, 65]) };
    expect(argmaxAgreement([floats([1, 2])], [floats([1, 2], [1, 2], 'other')])).toBe('incomparable');
    expect(argmaxAgreement([floats([1, 2])], [floats([1, 2], [2])])).toBe('incomparable');
    expect(argmaxAgreement([text], [text])).toBe('incomparable');
    expect(argmaxAgreement([floats([], [0, 10])], [floats([], [0, 10])])).toBe('incomparable');
    expect(argmaxAgreement([], [])).toBe('incomparable');
  });

  it('does not read past the bytes of an answer that is shorter than its shape', () => {
    const liar = { ...floats([1, 2]), data: new Uint8Array(4) };
    expect(argmaxAgreement([floats([1, 2])], [liar])).toBe('incomparable');
    expect(argmaxAgreement([labels([1, 2])], [{ ...labels([1, 2]), data: new Uint8Array(4) }])).toBe('incomparable');
  });

  it('agrees with a comparison of plain numbers', () => {
    const value = fc.oneof(fc.constantFrom(0, 1, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY), fc.float());
    const rows = fc.integer({ min: 1, max: 3 }).chain((columns) => {
      const row = fc.array(value, { minLength: columns + 1, maxLength: columns + 1 });
      return fc.array(fc.tuple(row, row), { minLength: 1, maxLength: 3 });
    });
    fc.assert(
      fc.property(rows, (pairs) => {
        const shape = [pairs.length, pairs[0]![0].length];
        const a = unaligned(
          floats(
            pairs.flatMap(([one]) => one),
            shape,
          ),
        );
        const b = doubles(
          pairs.flatMap(([, other]) => other),
          shape,
        );
        const agreed = pairs.every(([one, other]) => plainArgmax(one) === plainArgmax(other));
        expect(argmaxAgreement([a], [b])).toBe(agreed ? 'agreed' : 'disagreed');
      }),
      { seed: 20_260, numRuns: 500 },
    );
  });
});

function plainArgmax(row: readonly number[]): number {
  return row.some(Number.isNaN) ? -1 : row.indexOf(Math.max(...row));
}
