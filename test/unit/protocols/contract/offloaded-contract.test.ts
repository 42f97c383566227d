import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../../../src/core/inference.ts';
import type { Waiting } from '../../../../src/core/offload.ts';
import { compileContract } from '../../../../src/protocols/contract/compile-contract.ts';
import { OffloadedContract } from '../../../../src/protocols/contract/offloaded-contract.ts';
import { AsideOffload, IN_PLACE } from '../../../support/offloads.ts';
import { floats, request, rule, signature, spec, strings, tensor } from './contract-fakes.ts';

const SIGNATURE = signature([spec('x', 'FP32', -1), spec('text', 'BYTES', -1)], [spec('y', 'BYTES', -1)]);
const RULES = { x: rule({ min: 0, max: 1 }), text: rule({ utf8: true, maxStringBytes: 8 }) };
const PARTS = { signature: SIGNATURE, rules: RULES, maxRows: 4, rowsAgree: true };
const nobody: Waiting = { call: null };

const inPlace = compileContract(SIGNATURE, RULES, 4);
const text = fc.oneof(fc.string({ maxLength: 10 }), fc.uint8Array({ maxLength: 4 }));
const row = fc.record({ x: fc.oneof(fc.float({ min: 0, max: 1 }), fc.float()), text });
const asked = fc
  .array(row, { maxLength: 6 })
  .map((rows) =>
    request([
      floats('x', [rows.length], ...rows.map((one) => one.x)),
      strings('text', [rows.length], ...rows.map((one) => one.text)),
    ]),
  );

describe('a contract that has large tensors judged aside', () => {
  it('says of requests and answers what it says in place', async () => {
    const contract = new OffloadedContract(PARTS, new AsideOffload(0));
    await fc.assert(
      fc.asyncProperty(asked, fc.array(text, { maxLength: 6 }), async (one, answer) => {
        expect(await contract.refusal(one, nobody)).toBe(inPlace.refusal(one));
        expect(contract.rows(one)).toBe(inPlace.rows(one));
        const prediction = { outputs: [strings('y', [answer.length], ...answer)], computeUs: 1 };
        expect(await contract.lie(one, prediction, nobody)).toBe(inPlace.lie(one, prediction));
      }),
    );
  });

  it('judges small ones at once', () => {
    const aside = new AsideOffload(64);
    const contract = new OffloadedContract(PARTS, aside);
    const small = request([floats('x', [2], 0, 1), strings('text', [2], 'a', 'b')]);
    expect(contract.refusal(small, nobody)).toBe('');
    expect(contract.lie(small, { outputs: [strings('y', [2], 'a', 'b')], computeUs: 0 }, nobody)).toBe('');
    expect(aside.ran).toEqual([]);
  });

  it('judges the answers of a model that gives several in place, so that none overtakes another', () => {
    const decoupled = { ...SIGNATURE, decoupled: true };
    const contract = new OffloadedContract({ ...PARTS, signature: decoupled }, new AsideOffload(0));
    const one = request([floats('x', [1], 0), strings('text', [1], 'a')]);
    expect(contract.lie(one, { outputs: [strings('y', [1], 'a')], computeUs: 0 }, nobody)).toBe('');
  });

  it('sees at once what is plain of a lie, and counts no strings where there are many', () => {
    const contract = new OffloadedContract(PARTS, new AsideOffload(0));
    const one = request([floats('x', [1], 0), strings('text', [1], 'a')]);
    const plain = (...outputs: Tensor[]): string => contract.plainLie(one, { outputs, computeUs: 0 });
    expect(plain(strings('y', [1], 'a'))).toBe('');
    expect(plain(strings('z', [1], 'a'))).toContain('output "z"');
    expect(plain(floats('y', [1], 1))).toContain('datatype');
    expect(plain()).toContain('output "y" is missing');
    const two = { outputs: [strings('y', [1], 'a', 'b')], computeUs: 0 };
    expect(contract.plainLie(one, two)).toBe('');
    expect(new OffloadedContract(PARTS, IN_PLACE).plainLie(one, two)).toContain('holds 1 strings, found 2');
  });

  it('has only those judged aside that take long: numbers without a rule have nothing to look at', async () => {
    const parts = (datatype: 'INT32' | 'BF16' | 'FP32', changes: Parameters<typeof rule>[0]) => ({
      signature: signature([spec('x', datatype, -1)], []),
      rules: { x: rule(changes) },
      maxRows: 10_000,
      rowsAgree: true,
    });
    const ran = async (datatype: 'INT32' | 'BF16' | 'FP32', changes: Parameters<typeof rule>[0]): Promise<number> => {
      const aside = new AsideOffload(64);
      const size = datatype === 'BF16' ? 2 : 4;
      const data = new Uint8Array(size * 200);
      await new OffloadedContract(parts(datatype, changes), aside).refusal(request([tensor('x', datatype, [200], data)]), nobody);
      return aside.ran.length;
    };
    expect(await ran('INT32', {})).toBe(0);
    expect(await ran('INT32', { min: 0 })).toBe(1);
    expect(await ran('FP32', { min: -1 })).toBe(0);
    expect(await ran('BF16', { min: -1 })).toBe(1);
  });
});
