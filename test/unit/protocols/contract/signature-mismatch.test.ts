import { describe, expect, it } from 'vitest';
import type { TensorSpec } from '../../../../src/core/signature.ts';
import { signatureMismatch } from '../../../../src/protocols/contract/signature-mismatch.ts';
import { signature, spec } from './contract-fakes.ts';

const INPUTS = [spec('a', 'FP32', -1, 4), spec('b', 'INT64', -1)];
const OUTPUTS = [spec('y', 'FP32', -1, 2), spec('z', 'BYTES', -1, -1)];
const MODEL = signature(INPUTS, OUTPUTS);

const withInput = (...inputs: TensorSpec[]): string => signatureMismatch(MODEL, signature(inputs, OUTPUTS));
const withOutput = (...outputs: TensorSpec[]): string => signatureMismatch(MODEL, signature(INPUTS, outputs));

describe('signatureMismatch', () => {
  it('is empty for a signature that is the same but for order and platform', () => {
    expect(signatureMismatch(MODEL, MODEL)).toBe('');
    const other = { platform: 'other', decoupled: false, inputs: [...INPUTS].reverse(), outputs: [...OUTPUTS].reverse() };
    expect(signatureMismatch(MODEL, other)).toBe('');
  });

  it('lets a variant take more than the model does, and promise less or more of its outputs', () => {
    expect(withInput(spec('a', 'FP32', -1, -1), INPUTS[1]!)).toBe('');
    expect(withOutput(spec('y', 'FP32', -1, -1), spec('z', 'BYTES', -1, 5))).toBe('');
  });

  it('lets a variant fix dimension 0 of an output where it counts no rows', () => {
    const inputs = [spec('x', 'FP32', -1), spec('rate', 'INT64')];
    const free = signature(inputs, [spec('state', 'FP32', -1, -1)]);
    expect(signatureMismatch(free, signature(inputs, [spec('state', 'FP32', 2, -1)]))).toBe('');
  });

  it.each([
    [withInput(INPUTS[0]!), 'input "b" of the model is missing'],
    [withInput(...INPUTS, spec('c', 'FP32', 1)), 'input "c" is unknown to the model'],
    [withInput(spec('a', 'FP64', -1, 4), INPUTS[1]!), 'input "a" has datatype FP64, the model\'s is FP32'],
    [withInput(spec('a', 'FP32', -1, 5), INPUTS[1]!), 'input "a" has shape [-1,5], the model\'s is [-1,4]'],
    [withInput(spec('a', 'FP32', 1, 4), INPUTS[1]!), 'input "a" has shape [1,4], the model\'s is [-1,4]'],
    [withInput(spec('a', 'FP32', -1), INPUTS[1]!), 'input "a" has shape [-1], the model\'s is [-1,4]'],
    [withOutput(OUTPUTS[0]!), 'output "z" of the model is missing'],
    [withOutput(...OUTPUTS, spec('w', 'FP32', 1)), 'output "w" is unknown to the model'],
    [withOutput(spec('y', 'INT8', -1, 2), OUTPUTS[1]!), 'output "y" has datatype INT8, the model\'s is FP32'],
    [withOutput(spec('y', 'FP32', 1, 2), OUTPUTS[1]!), 'output "y" has shape [1,2], the model\'s is [-1,2]'],
    [withOutput(spec('y', 'FP32', -1, 3), OUTPUTS[1]!), 'output "y" has shape [-1,3], the model\'s is [-1,2]'],
    [withOutput(spec('y', 'FP32', -1, 2, 1), OUTPUTS[1]!), 'output "y" has shape [-1,2,1], the model\'s is [-1,2]'],
  ])('says what does not fit: %s', (found, expected) => {
    expect(found).toBe(expected);
  });
});
