import { describe, expect, it } from 'vitest';
import { ruleProblems } from '../../../../src/protocols/contract/rule-problems.ts';
import { rule, signature, spec } from './contract-fakes.ts';

const MODEL = signature([spec('age', 'FP32', -1), spec('name', 'BYTES', -1), spec('flag', 'BOOL', -1)], []);

describe('ruleProblems', () => {
  it('finds nothing where every rule can be kept', () => {
    expect(ruleProblems(MODEL, {})).toEqual([]);
    expect(
      ruleProblems(MODEL, {
        age: rule({ min: 0, max: 150 }),
        name: rule({ allowedValues: ['a'] }),
        flag: rule({ allowedValues: [1] }),
      }),
    ).toEqual([]);
  });

  it('names rules for inputs that the model lacks', () => {
    expect(ruleProblems(MODEL, { agee: rule({}) })).toEqual([
      'inputs has a rule for "agee", which the model lacks; its inputs are "age", "name", "flag"',
    ]);
  });

  it('names rules that mean nothing for the datatype', () => {
    expect(ruleProblems(MODEL, { name: rule({ min: 1 }), flag: rule({ max: 1 }) })).toEqual([
      'inputs.name: min and max mean nothing for a BYTES input',
      'inputs.flag: min and max mean nothing for a BOOL input',
    ]);
    expect(ruleProblems(MODEL, { name: rule({ allowedValues: ['a', 1] }), age: rule({ allowedValues: ['1'] }) })).toEqual([
      'inputs.name: allowedValues of a BYTES input must be strings',
      'inputs.age: allowedValues of a FP32 input must be numbers',
    ]);
  });

  it('names a range that nothing can be in', () => {
    expect(ruleProblems(MODEL, { age: rule({ min: 2, max: 1 }) })).toEqual(['inputs.age: min 2 is greater than max 1']);
  });
});
