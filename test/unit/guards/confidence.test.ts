import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { confidenceGuard } from '../../../src/config/guard-schema.ts';
import { Ruling } from '../../../src/core/guard.ts';
import type { Tensor } from '../../../src/core/inference.ts';
import { ConfidenceGuard } from '../../../src/guards/confidence.ts';
import { Subject } from '../../../src/guards/subject.ts';
import { guardContract } from '../../support/contracts/guard-contract.ts';
import { numericTensor } from '../../support/guard-tensors.ts';

const configOf = (floor: number, tensors: readonly string[] = []) =>
  confidenceGuard.parse({ kind: 'confidence', name: 'sure', floor, tensors });

const check = (floor: number, tensors: Tensor[], named: readonly string[] = []): Ruling =>
  new ConfidenceGuard(configOf(floor, named)).check(new Subject(tensors));

const scores = (values: readonly number[], shape: readonly number[], name = 'scores') =>
  numericTensor(name, 'FP32', Float32Array.from(values), shape);

guardContract('ConfidenceGuard', {
  config: (tensors) => configOf(0.8, tensors),
  ruling: Ruling.Block,
  offending: (name, shape) => scores([0.5], shape, name),
  innocent: (name, shape) => scores([0.9], shape, name),
  reads: 'FP32',
  cannotRead: 'BYTES',
  any: fc.uint8Array({ maxLength: 16 }).map((bytes) => {
    const data = Uint8Array.from([...bytes, ...bytes, ...bytes, ...bytes]);
    return { name: 'any', datatype: 'FP32', shape: [bytes.length, 1], data } satisfies Tensor;
  }),
});

describe('ConfidenceGuard', () => {
  it('wants the floor in every row', () => {
    expect(check(0.8, [scores([0.1, 0.9, 0.85, 0.15], [2, 2])])).toBe(Ruling.Allow);
    expect(check(0.8, [scores([0.1, 0.9, 0.45, 0.55], [2, 2])])).toBe(Ruling.Block);
  });

  it('takes the last dimension for the row whatever the rank', () => {
    expect(check(0.8, [scores([0.9, 0, 0, 0.9, 0.9, 0, 0.9, 0], [2, 2, 2])])).toBe(Ruling.Allow);
    expect(check(0.8, [scores([0.9, 0, 0, 0.9, 0.9, 0, 0, 0], [2, 2, 2])])).toBe(Ruling.Block);
  });

  it('takes each element of a tensor with one dimension for a row, so that one sure row does not speak for others', () => {
    expect(check(0.8, [scores([0.9, 0.1], [2])])).toBe(Ruling.Block);
  });

  it('accepts a score that is the floor, though FP32 rounds it down', () => {
    expect(Math.fround(0.9)).toBeLessThan(0.9000001);
    expect(check(0.9, [scores([0.9], [1])])).toBe(Ruling.Allow);
    expect(check(0.7, [scores([0.7], [1])])).toBe(Ruling.Allow);
  });

  it('calls a row of NaN unsure', () => {
    expect(check(0, [scores([NaN, NaN], [1, 2])])).toBe(Ruling.Block);
  });

  it('judges the first floating tensor when config names none', () => {
    const label = numericTensor('label', 'INT64', BigInt64Array.of(3n));
    expect(check(0.8, [label, scores([0.9], [1]), scores([0.1], [1], 'second')])).toBe(Ruling.Allow);
  });

  it('judges all tensors that config names', () => {
    const named = ['first', 'second'];
    expect(check(0.8, [scores([0.9], [1], 'first'), scores([0.1], [1], 'second')], named)).toBe(Ruling.Block);
  });

  it('cannot judge an answer without the scores, so asking for other outputs does not get around it', () => {
    const label = numericTensor('label', 'INT64', BigInt64Array.of(3n));
    expect(check(0.8, [label])).toBe(Ruling.Error);
    expect(check(0.8, [label, scores([0.9], [1], 'other')], ['scores'])).toBe(Ruling.Error);
    expect(check(0.8, [])).toBe(Ruling.Error);
  });

  it('throws on a shape that does not divide its scores, rather than looping', () => {
    expect(() => check(0.8, [scores([0.9, 0.9, 0.9], [1, 2])])).toThrow('make no whole rows of 2');
    expect(() => check(0.8, [scores([0.9], [1, 0])])).toThrow('make no whole rows of 0');
  });

  it('agrees with a naive maximum on any scores', () => {
    const cell = fc.float({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(cell, { maxLength: 60 }), cell, (classes, values, floor) => {
        const rows = Math.floor(values.length / classes);
        const used = values.slice(0, rows * classes);
        const isSure = Array.from(
          { length: rows },
          (_, row) => Math.max(...used.slice(row * classes, (row + 1) * classes)) >= floor,
        );
        expect(check(floor, [scores(used, [rows, classes])])).toBe(isSure.every(Boolean) ? Ruling.Allow : Ruling.Block);
      }),
    );
  });
});
