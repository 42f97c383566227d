import { describe, expect, it } from 'vitest';
import type { InputRule } from '../../../../src/config/model-schema.ts';
import type { Datatype } from '../../../../src/core/datatype.ts';
import { explanationOf } from '../../../../src/core/explanation.ts';
import type { Tensor } from '../../../../src/core/inference.ts';
import { compileContract } from '../../../../src/protocols/contract/compile-contract.ts';
import { floats, request, rule, signature, spec, strings, tensor } from './contract-fakes.ts';

const TWO = signature(
  [spec('image', 'FP32', -1, 2), spec('mask', 'BOOL', -1)],
  [spec('scores', 'FP32', -1, 3), spec('label', 'BYTES', -1), spec('version', 'INT32', 1)],
);
const contract = compileContract(TWO, {}, 4);
const mask = (...values: number[]): Tensor => tensor('mask', 'BOOL', [values.length], Uint8Array.from(values));
const GOOD = [floats('image', [1, 2], 0, 1), mask(1)];

/** What a contract with one input says of one tensor for it. */
function judge(datatype: Datatype, shape: readonly number[], data: ArrayBufferView, changes: Partial<InputRule> = {}): string {
  const one = compileContract(signature([spec('x', datatype, ...shape.map(() => -1))], []), { x: rule(changes) }, 1_000);
  return one.refusal(request([tensor('x', datatype, shape, data)]));
}
const flat = (datatype: Datatype, data: ArrayBufferView & { length: number }, changes: Partial<InputRule> = {}): string =>
  judge(datatype, [data.length], data, changes);
const texts = (changes: Partial<InputRule>, ...values: (string | Uint8Array)[]): string => {
  const one = compileContract(signature([spec('x', 'BYTES', -1)], []), { x: rule(changes) }, 1_000);
  return one.refusal(request([strings('x', [values.length], ...values)]));
};

describe('refusal', () => {
  it('is empty for a request that fits, in any order of inputs', () => {
    expect(contract.refusal(request(GOOD))).toBe('');
    expect(contract.refusal(request([GOOD[1]!, GOOD[0]!], ['label', 'scores']))).toBe('');
    expect(contract.signature).toBe(TWO);
  });

  it.each([
    ['unknown input', [...GOOD, floats('b"', [1], 1)], 'input "b\\"" does not exist; there are "image", "mask"'],
    ['input twice', [GOOD[0]!, GOOD[0]!], 'input "image" comes twice'],
    ['missing input', [GOOD[0]!], 'input "mask" is missing; expected "image", "mask"'],
    ['no input', [], 'input "image" is missing; expected "image", "mask"'],
    ['datatype', [tensor('image', 'FP64', [1, 2], new Float64Array(2))], 'input "image": datatype is "FP64", expected FP32'],
    ['rank', [floats('image', [2], 1, 2)], 'input "image": shape is [2], expected [-1,2]'],
    ['fixed dimension', [floats('image', [1, 3], 1, 2, 3)], 'input "image": shape is [1,3], expected [-1,2]'],
    [
      'negative dimension',
      [floats('image', [-1, 2])],
      'input "image": shape [-1,2] is negative or holds more values than can be counted',
    ],
    [
      'overflow',
      [floats('image', [2 ** 53, 2])],
      'input "image": shape [9007199254740992,2] is negative or holds more values than can be counted',
    ],
    [
      'large size',
      [floats('image', [2 ** 51, 2], 1)],
      'input "image": shape [2251799813685248,2] of FP32 takes 18014398509481984 bytes, found 4',
    ],
    ['too few bytes', [floats('image', [1, 2], 1)], 'input "image": shape [1,2] of FP32 takes 8 bytes, found 4'],
    ['too many bytes', [floats('image', [1, 2], 1, 2, 3)], 'input "image": shape [1,2] of FP32 takes 8 bytes, found 12'],
    ['unequal rows', [floats('image', [2, 2], 1, 2, 3, 4), mask(1)], 'input "mask" has 1 rows, but input "image" has 2'],
    [
      'too many rows',
      [floats('image', [5, 2], ...new Array(10).fill(0)), mask(1, 1, 1, 1, 1)],
      'input "image" has 5 rows, expected 1 to 4',
    ],
    ['no rows', [floats('image', [0, 2]), mask()], 'input "image" has 0 rows, expected 1 to 4'],
    [
      'values',
      [floats('image', [1, 2], 0, Number.NaN), mask(1)],
      'input "image": value 1 is NaN or infinite, expected a finite number',
    ],
    ['booleans', [GOOD[0]!, mask(2)], 'input "mask": value 0 is neither 0 nor 1'],
  ])('names the %s', (_, inputs, refusal) => {
    expect(contract.refusal(request(inputs))).toBe(refusal);
  });

  it('looks at the outputs asked for', () => {
    expect(contract.refusal(request(GOOD, ['scores', 'nothing']))).toBe(
      'output "nothing" does not exist; there are "scores", "label", "version"',
    );
    expect(contract.refusal(request(GOOD, ['scores', 'scores']))).toBe('output "scores" is asked for twice');
  });

  it('asks for equal rows only where all inputs leave dimension 0 free, and config does not say that it counts something else', () => {
    const pair = [floats('a', [3], 1, 2, 3), floats('b', [2], 1, 2)];
    const sides = [spec('a', 'FP32', -1), spec('b', 'FP32', -1)];
    expect(compileContract(signature(sides, []), {}, 8).refusal(request(pair))).toContain('has 2 rows');
    expect(compileContract(signature(sides, []), {}, 8, false).refusal(request(pair))).toBe('');
    const scaled = compileContract(signature([...sides, spec('s', 'FP32')], []), {}, 8);
    expect(scaled.refusal(request([...pair, floats('s', [], 1)]))).toBe('');
  });

  it('bounds every free dimension 0', () => {
    const mixed = compileContract(signature([spec('a', 'FP32', -1), spec('scale', 'FP32', 1), spec('s', 'FP32')], []), {}, 8);
    expect(mixed.refusal(request([floats('a', [3], 1, 2, 3), floats('scale', [1], 2), floats('s', [], 1)]))).toBe('');
    expect(
      mixed.refusal(request([floats('a', [9], ...new Array(9).fill(0)), floats('scale', [1], 2), floats('s', [], 1)])),
    ).toContain('has 9 rows');
  });

  it('does not take the name of an object property for an input or a rule', () => {
    const odd = compileContract(signature([spec('constructor', 'FP32', 1)], []), {}, 8);
    expect(odd.refusal(request([floats('constructor', [1], 1)]))).toBe('');
    expect(odd.refusal(request([floats('toString', [1], 1)]))).toContain('does not exist');
  });
});

describe('rules of values', () => {
  it('refuses NaN and infinities of every floating datatype unless they are allowed', () => {
    const bad = 'input "x": value 1 is NaN or infinite, expected a finite number';
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(flat('FP32', new Float32Array([1, value]))).toBe(bad);
      expect(flat('FP64', new Float64Array([1, value]))).toBe(bad);
      expect(flat('FP32', new Float32Array([1, value]), { nonFinite: 'allow' })).toBe('');
    }
    for (const unit of [0x7c00, 0xfc00, 0x7e00]) expect(flat('FP16', new Uint16Array([0x7bff, unit]))).toBe(bad);
    for (const unit of [0x7f80, 0xff80, 0x7fc0]) expect(flat('BF16', new Uint16Array([0x7f7f, unit]))).toBe(bad);
    expect(flat('FP16', new Uint16Array([0x7bff, 0, 1, 0x8001]))).toBe('');
  });

  it('keeps NaN out of allowed values, and infinities out of a range, even where they are allowed', () => {
    expect(flat('FP32', new Float32Array([Number.NaN]), { nonFinite: 'allow', allowedValues: [1] })).toBe(
      'input "x": value 0 is none of the allowed values',
    );
    expect(flat('FP32', new Float32Array([Number.POSITIVE_INFINITY]), { nonFinite: 'allow', max: 1 })).toBe(
      'input "x": value 0 is greater than 1',
    );
  });

  it.each([
    ['FP32', new Float32Array([0, 1, 1.5])],
    ['FP64', new Float64Array([0, 1, 1.5])],
    ['FP16', new Uint16Array([0, 0x3c00, 0x3e00])],
    ['BF16', new Uint16Array([0, 0x3f80, 0x3fc0])],
    ['INT8', new Int8Array([0, 1, 2])],
    ['INT16', new Int16Array([0, 1, 2])],
    ['INT32', new Int32Array([0, 1, 2])],
    ['UINT8', new Uint8Array([0, 1, 2])],
    ['UINT16', new Uint16Array([0, 1, 2])],
    ['UINT32', new Uint32Array([0, 1, 2])],
    ['INT64', new BigInt64Array([0n, 1n, 2n])],
    ['UINT64', new BigUint64Array([0n, 1n, 2n])],
  ] as const)('holds %s to range and allowed values', (datatype, data) => {
    expect(flat(datatype, data)).toBe('');
    expect(flat(datatype, data, { min: 0, max: 2 })).toBe('');
    expect(flat(datatype, data, { max: 1 })).toBe('input "x": value 2 is greater than 1');
    expect(flat(datatype, data, { min: 1 })).toBe('input "x": value 0 is less than 1');
    expect(flat(datatype, data, { allowedValues: [0, 1, 1.5, 2] })).toBe('');
    expect(flat(datatype, data, { allowedValues: [0, 1.5, 2] })).toBe('input "x": value 1 is none of the allowed values');
  });

  it('reads values wherever their bytes lie', () => {
    const bytes = new Uint8Array(17);
    bytes.set(new Uint8Array(new Float64Array([1, 5]).buffer), 1);
    expect(judge('FP64', [2], bytes.subarray(1), { max: 4 })).toBe('input "x": value 1 is greater than 4');
    expect(judge('INT64', [2], bytes.subarray(1), { min: 0 })).toBe('');
  });

  it('reads limits as the datatype keeps them', () => {
    expect(flat('FP32', new Float32Array([0.1, 0.3]), { min: 0.1, max: 0.3 })).toBe('');
    expect(flat('FP32', new Float32Array([0.1]), { allowedValues: [0.1] })).toBe('');
    expect(flat('FP16', new Uint16Array([0x34cd]), { min: 0.3, max: 0.3 })).toBe('');
    expect(flat('BF16', new Uint16Array([0x3e9a]), { allowedValues: [0.3] })).toBe('');
    expect(flat('FP32', new Float32Array([0.30000004]), { max: 0.3 })).toBe(
      `input "x": value 0 is greater than ${Math.fround(0.3)}`,
    );
  });

  it('compares 64-bit integers exactly', () => {
    const max = 2 ** 53;
    expect(flat('INT64', new BigInt64Array([2n ** 53n]), { max })).toBe('');
    expect(flat('INT64', new BigInt64Array([2n ** 53n + 1n]), { max })).toBe(
      'input "x": value 0 is greater than 9007199254740992',
    );
    expect(flat('UINT64', new BigUint64Array([2n ** 64n - 1n]), { allowedValues: [2 ** 64] })).toContain('none of the allowed');
    expect(flat('INT64', new BigInt64Array([-(2n ** 63n)]), { allowedValues: [-(2 ** 63)] })).toBe('');
  });

  it('takes of BOOL only 0 and 1, and of those only what is allowed', () => {
    expect(flat('BOOL', Uint8Array.of(0, 1))).toBe('');
    expect(flat('BOOL', Uint8Array.of(0, 255))).toBe('input "x": value 1 is neither 0 nor 1');
    expect(flat('BOOL', Uint8Array.of(0, 1), { allowedValues: [1] })).toBe('input "x": value 0 is none of the allowed values');
  });

  it('walks the strings of BYTES', () => {
    expect(texts({}, 'a', '', 'é😀')).toBe('');
    expect(texts({ maxStringBytes: 3 }, 'abc', 'é😀')).toBe('input "x": value 1 has 6 bytes, at most 3 are allowed');
    expect(texts({ utf8: true }, 'ok', Uint8Array.of(0x61, 0xff))).toBe('input "x": value 1 is not UTF-8');
    expect(texts({}, 'ok', Uint8Array.of(0x61, 0xff))).toBe('');
    expect(texts({ allowedValues: ['red', 'grün'] }, 'grün', 'red')).toBe('');
    expect(texts({ allowedValues: ['red', 'grün'] }, 'red', 'green')).toBe('input "x": value 1 is none of the allowed values');
    expect(judge('BYTES', [1], Uint8Array.of(5, 0, 0, 0, 1))).toBe('input "x": a length prefix points past the end of its data');
    expect(judge('BYTES', [1], Uint8Array.of(5, 0, 0))).toBe('input "x": a length prefix points past the end of its data');
    expect(judge('BYTES', [2], Uint8Array.of(1, 0, 0, 0, 65))).toBe('input "x": shape [2] holds 2 strings, found 1');
    expect(judge('BYTES', [1], Uint8Array.of(255, 255, 255, 255))).toContain('past the end');
  });

  it('never repeats a value', () => {
    for (const refusal of [texts({ allowedValues: [] }, 'secret'), flat('INT32', new Int32Array([4711]), { max: 1 })]) {
      expect(refusal).not.toMatch(/secret|4711/);
    }
  });
});

describe('lie', () => {
  const scores = (rows: number): Tensor => floats('scores', [rows, 3], ...new Array(rows * 3).fill(0.5));
  const label = strings('label', [1], 'seven');
  const version = tensor('version', 'INT32', [1], new Int32Array([1]));
  const lie = (outputs: Tensor[], wanted: readonly string[] = []): string =>
    contract.lie(request(GOOD, wanted), { outputs, computeUs: 1 });

  it('is empty for an answer that fits, in any order', () => {
    expect(lie([scores(1), label, version])).toBe('');
    expect(lie([version, label, scores(1)])).toBe('');
    expect(lie([label], ['label'])).toBe('');
    expect(lie([version, label], ['label', 'version'])).toBe('');
  });

  it('does not judge values', () => {
    expect(lie([floats('scores', [1, 3], Number.NaN, 0, 1), strings('label', [1], Uint8Array.of(0xff)), version])).toBe('');
  });

  it.each([
    ['missing output', [scores(1), label], [], 'output "version" is missing; expected "scores", "label", "version"'],
    ['missing wanted output', [label], ['label', 'version'], 'output "version" is missing; expected "label", "version"'],
    [
      'unknown output',
      [scores(1), label, version, floats('extra', [1], 1)],
      [],
      'output "extra" does not exist in the signature',
    ],
    ['output nobody asked for', [label, version], ['label'], 'output "version" was not asked for'],
    ['output twice', [scores(1), label, label], [], 'output "label" comes twice'],
    [
      'datatype',
      [tensor('scores', 'FP64', [1, 3], new Float64Array(3)), label, version],
      [],
      'output "scores": datatype is "FP64", expected FP32',
    ],
    ['rank', [floats('scores', [3], 1, 2, 3), label, version], [], 'output "scores": shape is [3], expected [-1,3]'],
    [
      'fixed dimension',
      [scores(1), label, tensor('version', 'INT32', [2], new Int32Array(2))],
      [],
      'output "version": shape is [2], expected [1]',
    ],
    ['size', [floats('scores', [1, 3], 1), label, version], [], 'output "scores": shape [1,3] of FP32 takes 12 bytes, found 4'],
    ['strings', [scores(1), strings('label', [1], 'a', 'b'), version], [], 'output "label": shape [1] holds 1 strings, found 2'],
    [
      'rows',
      [scores(2), label, version],
      [],
      'output "scores" has 2 rows, expected 1 as in the request; set rowsAgree: false if dimension 0 counts something else',
    ],
  ])('names the %s', (_, outputs, wanted, fault) => {
    expect(lie(outputs, wanted)).toBe(fault);
  });

  it('lets outputs of a model with state or scalars have a free dimension 0 that is no batch', () => {
    const state = spec('state', 'FP32', 2, -1, 1);
    const vad = compileContract(signature([spec('input', 'FP32', -1, -1), state], [spec('stateN', 'FP32', -1, -1, -1)]), {}, 4);
    const asked = request([floats('input', [1, 1], 0), floats('state', [2, 1, 1], 0, 0)]);
    expect(vad.refusal(asked)).toBe('');
    expect(vad.lie(asked, { outputs: [floats('stateN', [2, 1, 1], 1, 2)], computeUs: 0 })).toBe('');
  });

  it('counts no rows where config says that dimension 0 is something else', () => {
    const sides = [spec('samples', 'FP32', -1)];
    const asked = request([floats('samples', [2], 1, 2)]);
    const answer = { outputs: [floats('frames', [3], 1, 2, 3)], computeUs: 0 };
    const frames = signature(sides, [spec('frames', 'FP32', -1)]);
    expect(compileContract(frames, {}, 4).lie(asked, answer)).toContain('has 3 rows, expected 2');
    expect(compileContract(frames, {}, 4, false).lie(asked, answer)).toBe('');
  });

  it('counts no rows where no input has any', () => {
    const fixed = compileContract(signature([spec('x', 'FP32', 1)], [spec('found', 'FP32', -1)]), {}, 4);
    expect(fixed.lie(request([floats('x', [1], 1)]), { outputs: [floats('found', [3], 1, 2, 3)], computeUs: 0 })).toBe('');
  });
});

describe('an explanation', () => {
  const asked = { ...request(GOOD), task: 'explain' as const };
  const told = (outputs: Tensor[]): string => contract.lie(asked, { outputs, computeUs: 0 });

  it('is one JSON text, whatever outputs the model has', () => {
    expect(told([explanationOf(Buffer.from('{"explanations":[]}'))])).toBe('');
  });

  it.each([
    ['the outputs of the model', [floats('scores', [1, 3], 1, 2, 3)]],
    ['nothing', []],
    ['two texts', [strings('explanation', [2], '{}', '{}')]],
    ['more texts than it says', [strings('explanation', [1], '{}', '{}')]],
    ['numbers', [floats('explanation', [1], 1)]],
    ['a text of another name', [strings('label', [1], '{}')]],
    ['a text and another output', [strings('explanation', [1], '{}'), floats('scores', [1, 3], 1, 2, 3)]],
  ])('is not %s', (_, outputs) => {
    expect(told(outputs)).toContain('expected the one output "explanation"');
  });

  it('needs inputs that fit, as a prediction does', () => {
    expect(contract.refusal({ ...asked, inputs: [GOOD[0]!] })).toContain('input "mask" is missing');
  });
});
