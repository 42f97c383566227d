import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GuardConfig } from '../../../src/config/guard-schema.ts';
import type { Datatype } from '../../../src/core/datatype.ts';
import { type Inspection, Ruling } from '../../../src/core/guard.ts';
import type { Tensor } from '../../../src/core/inference.ts';
import { buildChain } from '../../../src/guards/chain.ts';
import { askew, inspectionOf } from '../guard-tensors.ts';

/** What a guard has to be told apart by: what offends it and what does not, in the shape that is asked for. */
export interface GuardCase {
  config(tensors: readonly string[]): GuardConfig;
  /** How it rules on what offends. */
  readonly ruling: Ruling;
  offending(name: string, shape: readonly number[]): Tensor;
  innocent(name: string, shape: readonly number[]): Tensor;
  /** A datatype it reads, and one it does not. */
  readonly reads: Datatype;
  readonly cannotRead: Datatype;
  /** Any tensor that it reads, well formed in its bytes, whatever its content. */
  readonly any: fc.Arbitrary<Tensor>;
}

/** What every guard owes its chain. Shapes used are [1], [0] and [] (a scalar), and the same with a last dimension of 2. */
export function guardContract(name: string, guard: GuardCase): void {
  describe(`${name} as a guard`, () => {
    it('rules on what offends and names itself and a rule', () => {
      const inspection = inspectionOf([guard.offending('watched', [1])]);
      expect(rule(guard, inspection)).toBe(guard.ruling);
      expect(inspection.guard).toBe(guard.config([]).name);
      expect(inspection.rule).not.toBe('');
    });

    it('allows what does not offend and leaves its tensor in place', () => {
      const tensor = guard.innocent('watched', [1]);
      const inspection = inspectionOf([tensor]);
      expect(rule(guard, inspection)).toBe(Ruling.Allow);
      expect(inspection).toEqual(inspectionOf([tensor]));
      expect(inspection.tensors[0]).toBe(tensor);
    });

    it('never changes bytes that came in', () => {
      const tensor = guard.offending('watched', [1]);
      const before = Buffer.from(tensor.data);
      rule(guard, inspectionOf([Object.freeze(tensor)]));
      expect(Buffer.from(tensor.data).equals(before)).toBe(true);
    });

    it('rewrites nothing that it has rewritten already', () => {
      const inspection = inspectionOf([guard.offending('watched', [1])]);
      rule(guard, inspection);
      const again = inspectionOf(inspection.tensors);
      expect(rule(guard, again)).toBe(guard.ruling === Ruling.Rewrite ? Ruling.Allow : guard.ruling);
      expect(again.tensors[0]).toBe(inspection.tensors[0]);
    });

    it('allows empty tensors', () => {
      for (const shape of [[0], [0, 2], [2, 0]]) {
        const empty: Tensor = { name: 'watched', datatype: guard.reads, shape, data: new Uint8Array(0) };
        expect(rule(guard, inspectionOf([empty]))).toBe(Ruling.Allow);
      }
    });

    it('judges scalars', () => {
      expect(rule(guard, inspectionOf([guard.innocent('watched', [])]))).toBe(Ruling.Allow);
      expect(rule(guard, inspectionOf([guard.offending('watched', [])]))).toBe(guard.ruling);
    });

    it('judges bytes at any address', () => {
      expect(rule(guard, inspectionOf([askew(guard.innocent('watched', [1]))]))).toBe(Ruling.Allow);
      expect(rule(guard, inspectionOf([askew(guard.offending('watched', [1]))]))).toBe(guard.ruling);
    });

    it('ignores tensors that config does not select', () => {
      const other = guard.offending('other', [1]);
      const inspection = inspectionOf([other, guard.innocent('watched', [1])]);
      expect(rule(guard, inspection, ['watched'])).toBe(Ruling.Allow);
      expect(inspection.tensors[0]).toBe(other);
    });

    it('finds what offends in any tensor that config selects', () => {
      const inspection = inspectionOf([guard.innocent('first', [1]), guard.offending('second', [1])]);
      expect(rule(guard, inspection, ['first', 'second'])).toBe(guard.ruling);
    });

    it('passes over tensors it cannot read when config selects none', () => {
      const foreign: Tensor = { name: 'foreign', datatype: guard.cannotRead, shape: [1], data: new Uint8Array([1, 2, 3]) };
      expect(rule(guard, inspectionOf([foreign, guard.innocent('watched', [1])]))).toBe(Ruling.Allow);
    });

    it('cannot judge a selected tensor of a kind it does not read', () => {
      const foreign: Tensor = { name: 'watched', datatype: guard.cannotRead, shape: [0], data: new Uint8Array(0) };
      const inspection = inspectionOf([foreign]);
      expect(rule(guard, inspection, ['watched'])).toBe(Ruling.Error);
      expect(inspection.rule).toBe('datatype');
    });

    it('judges any content, and again the same what it let pass or rewrote', () => {
      fc.assert(
        fc.property(guard.any, (tensor) => {
          const inspection = inspectionOf([tensor]);
          expect(rule(guard, inspection)).toBeLessThan(Ruling.Error);
          const ruling = rule(guard, inspectionOf(inspection.tensors));
          if (inspection.tensors[0] !== tensor) expect(ruling).toBe(Ruling.Allow);
        }),
      );
    });
  });
}

/** Guards of this gateway answer at once; the chain would give a promise for any that does not. */
function rule(guard: GuardCase, inspection: Inspection, tensors: readonly string[] = []): Ruling {
  const chain = buildChain([guard.config(tensors)], { model: 'demo', side: inspection.side, onRuling: () => {} })!;
  const ruling = chain.inspect(inspection);
  expect(ruling).toBeTypeOf('number');
  return ruling as Ruling;
}
