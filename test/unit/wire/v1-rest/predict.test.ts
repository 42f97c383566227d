import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InferenceRequest, Tensor } from '../../../../src/core/inference.ts';
import type { TensorSpec } from '../../../../src/core/signature.ts';
import { readModelMetadata, saysReady } from '../../../../src/wire/v1-rest/metadata.ts';
import { writePredictRequest } from '../../../../src/wire/v1-rest/predict-request.ts';
import { PredictResponseReader } from '../../../../src/wire/v1-rest/predict-response.ts';
import { jsonBits } from '../json-bits.ts';
import { tensor as anyTensor, RUNS } from '../oip/arbitraries.ts';

/** Tensors that JSON can say and whose shape shows in how they nest. */
const sayable = anyTensor
  .filter(({ datatype, shape }) => datatype !== 'FP16' && datatype !== 'BF16' && !shape.includes(0))
  .map(jsonBits);

const tensors = fc.uniqueArray(sayable, { selector: ({ name }) => name, minLength: 1, maxLength: 4 });

const specOf = ({ name, datatype, shape }: Tensor): TensorSpec => ({ name, datatype, shape: shape.map(() => -1) });
const plain = (found: readonly Tensor[]): object[] => found.map((tensor) => ({ ...tensor, data: [...tensor.data] }));
const requestOf = (inputs: Tensor[]): InferenceRequest => ({ inputs }) as unknown as InferenceRequest;

describe('writePredictRequest and PredictResponseReader', () => {
  it('agree on every tensor, exactly', () => {
    fc.assert(
      fc.property(tensors, (drawn) => {
        const body = Buffer.concat(writePredictRequest(requestOf(drawn), 'serving "default"')).toString();
        const answer = Buffer.from(body.replace('"inputs":', '"outputs":'));
        expect(plain(new PredictResponseReader(drawn.map(specOf)).read(answer) as Tensor[])).toEqual(plain(drawn));
      }),
      RUNS,
    );
  });

  it('agree on the bare value of a single output', () => {
    fc.assert(
      fc.property(sayable, (drawn) => {
        const body = Buffer.concat(writePredictRequest(requestOf([{ ...drawn, name: 'x' }]), 's')).toString();
        const value = body.slice('{"signature_name":"s","inputs":{"x":'.length, -2);
        const found = new PredictResponseReader([specOf(drawn)]).read(Buffer.from(`{"outputs": ${value}}`));
        expect(plain(found as Tensor[])).toEqual(plain([drawn]));
      }),
      RUNS,
    );
  });

  it('take no harm from answers that are changed or cut', () => {
    fc.assert(
      fc.property(tensors, fc.nat(), fc.nat(255), fc.nat(), (drawn, at, byte, end) => {
        const body = Buffer.concat(writePredictRequest(requestOf(drawn), 's'))
          .toString()
          .replace('"inputs":', '"outputs":');
        const answer = Buffer.from(body);
        answer[at % answer.length] = byte;
        const found = new PredictResponseReader(drawn.map(specOf)).read(answer.subarray(0, end % (answer.length + 1)));
        if (typeof found === 'string') expect(found).not.toBe('');
      }),
      { ...RUNS, numRuns: 1_000 },
    );
  });
});

describe('V1 metadata', () => {
  it('takes any JSON without harm', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('', 'metadata', 'signature_def'), (value, wrap) => {
        const wrapped = wrap === 'metadata' ? { metadata: value } : wrap === '' ? value : deep(value);
        const bytes = Buffer.from(JSON.stringify(wrapped));
        expect(typeof readModelMetadata(bytes)).toBe('string');
        expect(typeof saysReady(bytes)).toBe('boolean');
      }),
      RUNS,
    );
  });
});

const deep = (value: unknown): object => ({ metadata: { signature_def: { signature_def: { serving_default: value } } } });
