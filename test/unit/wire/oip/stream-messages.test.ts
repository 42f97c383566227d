import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeInferResponse, encodeInferResponse } from '../../../../src/wire/oip/infer-response.ts';
import {
  decodeStreamAnswer,
  encodeStreamRefusal,
  readStreamedRequest,
  wrapStreamAnswer,
} from '../../../../src/wire/oip/stream-messages.ts';
import { name, RUNS, tensor, text } from './arbitraries.ts';
import { stockDecode, stockEncode } from './stock-protobuf.ts';

const fields = fc.uniqueArray(fc.tuple(name, text), { selector: ([key]) => key, maxLength: 4 });
const parametersOf = (pairs: readonly (readonly [string, string])[], isFinal: boolean | null): object => ({
  ...Object.fromEntries(pairs.map(([key, value]) => [key, { string_param: value }])),
  ...(isFinal === null ? {} : { triton_final_response: { bool_param: isFinal } }),
});

describe('ModelStreamInferResponse', () => {
  it('holds an answer as it was written, with what belongs to it, for a stock reader', () => {
    fc.assert(
      fc.property(
        name,
        text,
        fc.array(tensor, { maxLength: 3 }),
        fields,
        fc.option(fc.boolean()),
        (model, id, outputs, pairs, isFinal) => {
          const answer = encodeInferResponse({ model, version: 'v', id, outputs });
          const cut = Math.floor(answer.length / 2);
          const bytes = Buffer.concat(wrapStreamAnswer([answer.subarray(0, cut), answer.subarray(cut)], pairs.flat(), isFinal));
          const stock = stockDecode('ModelStreamInferResponse', bytes);
          const { parameters, ...rest } = stock['infer_response'];
          const { parameters: _none, ...expected } = stockDecode('ModelInferResponse', answer);
          expect(stock['error_message'] ?? '').toBe('');
          expect(rest).toEqual(expected);
          expect(parameters).toEqual(parametersOf(pairs, isFinal));
        },
      ),
      RUNS,
    );
  });

  it('does not copy the answer', () => {
    const answer = Buffer.alloc(1_000);
    expect(wrapStreamAnswer([answer], [], false)[1]).toBe(answer);
  });

  it('holds a refusal with the id of its request', () => {
    fc.assert(
      fc.property(name, text, fields, fc.boolean(), (message, id, pairs, marksFinal) => {
        const stock = stockDecode('ModelStreamInferResponse', encodeStreamRefusal(message, { id, marksFinal }, pairs.flat()));
        expect(stock['error_message']).toBe(message.toWellFormed());
        expect(stock['infer_response']['id'] ?? '').toBe(id);
        expect(stock['infer_response']['parameters']).toEqual(parametersOf(pairs, marksFinal ? true : null));
      }),
      RUNS,
    );
  });
});

describe('what a backend sends over a stream', () => {
  it('is read as a stock writer wrote it', () => {
    fc.assert(
      fc.property(name, fc.array(tensor, { maxLength: 3 }), (model, outputs) => {
        const answer = encodeInferResponse({ model, version: '1', id: '', outputs });
        const whole = stockEncode('ModelStreamInferResponse', { infer_response: stockDecode('ModelInferResponse', answer) });
        const read = decodeStreamAnswer(whole);
        expect([read.problem, read.error]).toEqual(['', '']);
        expect(read.outputs).toEqual(decodedOutputs(answer));
      }),
      RUNS,
    );
  });

  it('may be an error, or nothing', () => {
    expect(decodeStreamAnswer(stockEncode('ModelStreamInferResponse', { error_message: 'sick' }))).toMatchObject({
      error: 'sick',
    });
    expect(decodeStreamAnswer(Buffer.alloc(0))).toEqual({ problem: '', error: '', outputs: [] });
  });

  it('is refused when it is cut, doubled or garbage, and never throws', () => {
    const answer = stockEncode('ModelStreamInferResponse', { infer_response: { model_name: 'm', id: 'a' } });
    expect(decodeStreamAnswer(answer.subarray(0, -1)).problem).not.toBe('');
    expect(decodeStreamAnswer(Buffer.concat([answer, answer])).problem).not.toBe('');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => void decodeStreamAnswer(bytes)),
      RUNS,
    );
  });
});

const decodedOutputs = (answer: Buffer): unknown => (decodeInferResponse(answer) as { outputs: unknown }).outputs;

describe('what a stream reads of a request', () => {
  it.each([
    [{ id: 'a' }, { id: 'a', marksFinal: false }],
    [{ parameters: { triton_enable_empty_final_response: { bool_param: true } } }, { id: '', marksFinal: true }],
    [
      { id: 'b', parameters: { triton_enable_empty_final_response: { string_param: 'true' } } },
      { id: 'b', marksFinal: false },
    ],
    [
      { id: 'c', raw_input_contents: [Buffer.alloc(1_000)], inputs: [{ name: 'x' }] },
      { id: 'c', marksFinal: false },
    ],
  ])('of %j is %j', (plain, expected) => {
    expect(readStreamedRequest(stockEncode('ModelInferRequest', { model_name: 'm', ...plain }))).toEqual(expected);
  });

  it('is nothing where two ids are given, or the bytes are none of the protocol', () => {
    const one = stockEncode('ModelInferRequest', { id: 'one' });
    expect(readStreamedRequest(Buffer.concat([one, one])).id).toBe('');
    expect(readStreamedRequest(Buffer.concat([one, Buffer.from([0xff])])).id).toBe('');
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(readStreamedRequest(bytes).id.length).toBeLessThanOrEqual(200);
      }),
      { ...RUNS, numRuns: 3_000 },
    );
  });
});
