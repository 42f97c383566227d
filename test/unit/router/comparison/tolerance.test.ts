import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinByteStrings } from '../../../../src/core/byte-strings.ts';
import type { Tensor } from '../../../../src/core/inference.ts';
import { FloatReader } from '../../../../src/router/comparison/floats.ts';
import { floats } from '../fakes.ts';
import { comparerFor, doubles, halves, labels, unaligned } from './policies.ts';

const exactly = { absolute: 0, relative: 0 };
const tight = { FP16: exactly, BF16: exactly, FP32: { absolute: 0.1, relative: 0.01 }, FP64: exactly };
const byTolerance = comparerFor({ agreeBy: 'tolerance', tolerance: tight });
const texts = (...words: string[]): Tensor => ({
  name: 'text',
  datatype: 'BYTES',
  shape: [words.length],
  data: joinByteStrings(words.map((word) => Buffer.from(word))),
});

describe('answers that agree within a tolerance', () => {
  const judge = (a: readonly Tensor[], b: readonly Tensor[]) => byTolerance.compare(a, b);

  it('may differ by the absolute part and a share of what stable says', () => {
    expect(judge([floats([100, 0])], [floats([101, 0.09])]).agreement).toBe('agreed');
    const beyond = judge([floats([100, 0])], [floats([101.2, 0])]);
    expect([beyond.agreement, beyond.kind, beyond.decided!.outside]).toEqual(['disagreed', 'tolerance', 1]);
    expect(beyond.decided!.maxDifference).toBeCloseTo(1.2, 5);
  });

  it('may differ by the tolerance of the coarser of two datatypes', () => {
    expect(judge([doubles([1])], [floats([1.05], [1, 1])]).agreement).toBe('agreed');
    expect(judge([doubles([1])], [doubles([1.05])]).agreement).toBe('disagreed');
  });

  it('hold NaN and infinity against their like alone', () => {
    const { NaN: nan, POSITIVE_INFINITY: most } = Number;
    expect(judge([floats([nan, most])], [floats([nan, most])]).agreement).toBe('agreed');
    expect(judge([floats([nan])], [floats([1])]).agreement).toBe('disagreed');
    expect(judge([floats([most])], [floats([-most])]).agreement).toBe('disagreed');
    expect(judge([floats([0])], [floats([-0])]).agreement).toBe('agreed');
  });

  it('are equal in integers and strings, and alike in shape', () => {
    expect(judge([labels([1, 2]), texts('a', 'b')], [labels([1, 2]), texts('a', 'b')]).agreement).toBe('agreed');
    expect(judge([labels([1, 2])], [labels([1, 3])]).kind).toBe('exact');
    expect(judge([texts('ab', '')], [texts('a', 'b')]).kind).toBe('exact');
    expect(judge([floats([1, 2])], [floats([1, 2], [2, 1])]).kind).toBe('shape');
  });

  it('decide by every output that both have', () => {
    const a = [floats([1], [1, 1], 'x'), labels([1]), floats([5], [1, 1], 'mine')];
    expect(judge(a, [labels([1]), floats([1], [1, 1], 'x')]).agreement).toBe('agreed');
    const found = judge(a, [floats([1], [1, 1], 'x'), labels([2])]);
    expect([found.agreement, found.decided!.output]).toEqual(['disagreed', 'label']);
    expect(judge([floats([1])], [labels([1])]).agreement).toBe('incomparable');
  });

  it('are found by a comparison of plain numbers', () => {
    const value = fc.oneof(
      fc.constantFrom(0, 1, Number.NaN, Number.POSITIVE_INFINITY),
      fc.float({ min: -4, max: 4, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 20 }), (pairs) => {
        const a = floats(pairs.map(([one]) => one));
        const b = floats(pairs.map(([, other]) => other));
        const [as, bs] = [a, b].map(({ data }) => [...new Float32Array(data.buffer as ArrayBuffer)]);
        const apart = as!.map((one, i) => Math.abs(one - bs![i]!));
        const isOutside = (gap: number, i: number): boolean =>
          Number.isFinite(gap) ? gap > 0.1 + 0.01 * Math.abs(as![i]!) : !Object.is(as![i], bs![i]);
        const finite = apart.filter(Number.isFinite);
        const found = judge([unaligned(a)], [b]).decided!;
        expect(found.outside).toBe(apart.filter(isOutside).length);
        expect([found.values, found.finite]).toEqual([apart.length, finite.length]);
        expect(found.maxDifference).toBe(Math.max(0, ...finite));
        expect(found.sumDifference).toBeCloseTo(
          finite.reduce((sum, gap) => sum + gap, 0),
          9,
        );
      }),
      { seed: 20_260, numRuns: 300 },
    );
  });
});

describe('answers that agree by their largest values', () => {
  const byTop = comparerFor({ agreeBy: 'topk', topK: 2 });

  it('have them at the same places, in any order', () => {
    expect(byTop.compare([floats([5, 4, 1])], [floats([4, 5, 1])]).agreement).toBe('agreed');
    expect(byTop.compare([floats([5, 4, 1])], [floats([5, 1, 4])]).kind).toBe('topk');
  });

  it('agree by the largest alone where there are no more than these', () => {
    expect(byTop.compare([floats([5, 4])], [floats([4, 5])]).kind).toBe('argmax');
  });

  it('are found by sorting', () => {
    const row = fc.array(fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constant(Number.NaN)), { minLength: 6, maxLength: 6 });
    const topOf = (values: readonly number[]): string =>
      values.some(Number.isNaN)
        ? 'none'
        : values
            .map((value, place) => ({ value, place }))
            .sort((a, b) => b.value - a.value || a.place - b.place)
            .slice(0, 3)
            .map(({ place }) => place)
            .sort()
            .join();
    const byThree = comparerFor({ agreeBy: 'topk', topK: 3 });
    fc.assert(
      fc.property(fc.array(fc.tuple(row, row), { minLength: 1, maxLength: 4 }), (rows) => {
        const shape = [rows.length, 6];
        const found = byThree.compare(
          [
            floats(
              rows.flatMap(([one]) => one),
              shape,
            ),
          ],
          [
            doubles(
              rows.flatMap(([, other]) => other),
              shape,
            ),
          ],
        );
        expect(found.decided!.toppled).toBe(rows.filter(([one, other]) => topOf(one) !== topOf(other)).length);
      }),
      { seed: 20_260, numRuns: 300 },
    );
  });
});

describe('work on one output', () => {
  const few = comparerFor({ maxElements: 8 });
  const line = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

  it('is bounded: of many rows some are looked at, of a long row some columns', () => {
    const rows = few.compare([floats(line(100), [25, 4])], [floats(line(100), [25, 4])]).decided!;
    expect([rows.partial, rows.ranked, rows.values]).toEqual([true, 2, 8]);
    const long = few.compare([floats(line(100))], [floats(line(100))]).decided!;
    expect([long.partial, long.ranked, long.values]).toEqual([true, 1, 8]);
    const small = few.compare([floats(line(8))], [floats(line(8))]).decided!;
    expect([small.partial, small.values]).toEqual([false, 8]);
    const ints = labels(line(100));
    expect(few.compare([ints], [ints]).decided).toMatchObject({ partial: true, outside: 0 });
  });

  it('never looks at more than the bound, and always at something', () => {
    const sizes = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 30 }));
    fc.assert(
      fc.property(sizes, ([rows, columns, maxElements]) => {
        const tensor = floats(line(rows * columns), [rows, columns]);
        const { values } = comparerFor({ maxElements }).compare([tensor], [tensor]).outputs[0]!;
        expect(values).toBeGreaterThan(0);
        expect(values).toBeLessThanOrEqual(maxElements);
      }),
      { seed: 20_260, numRuns: 300 },
    );
  });
});

describe('FloatReader', () => {
  it('reads 16-bit floats as the numbers they are', () => {
    const read = (tensor: Tensor): number[] => Array.from({ length: tensor.shape[1]! }, (_, i) => new FloatReader(tensor).at(i));
    const known = [0x0000, 0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x7c00, 0xfc00];
    expect(read(halves('FP16', known))).toEqual([0, 1, -2, 65_504, 2 ** -14, 2 ** -24, Infinity, -Infinity]);
    expect(read(halves('FP16', [0x7e00]))).toEqual([Number.NaN]);
    expect(read(halves('BF16', [0x3f80, 0xbf00, 0x7f80, 0x7fc0]))).toEqual([1, -0.5, Infinity, Number.NaN]);
  });
});
