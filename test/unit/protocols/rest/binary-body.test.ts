import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BINARY_ANSWER, isBinary, JSON_ANSWER } from '../../../../src/core/answer-form.ts';
import { joinByteStrings } from '../../../../src/core/byte-strings.ts';
import type { RequestContext } from '../../../../src/core/context.ts';
import { DATATYPES, type Datatype, elementBytes } from '../../../../src/core/datatype.ts';
import type { InferenceRequest, Tensor } from '../../../../src/core/inference.ts';
import { binaryBody, binaryInput, decodeNow, jsonInput } from './binary-fakes.ts';

const IMAGE: Tensor = { name: 'image', datatype: 'FP32', shape: [1, 2], data: Uint8Array.of(0, 0, 128, 63, 0, 0, 0, 64) };
const HALF: Tensor = { name: 'half', datatype: 'FP16', shape: [2], data: Uint8Array.of(0, 60, 1, 2) };
const BLOB: Tensor = {
  name: 'blob',
  datatype: 'BYTES',
  shape: [2],
  data: joinByteStrings([Uint8Array.of(0xff, 0), Uint8Array.of()]),
};

function requestOf(head: unknown, ...tail: readonly Uint8Array[]): InferenceRequest {
  const { fields, body } = binaryBody(head, ...tail);
  const ctx = decodeNow(fields, [body]);
  expect(ctx.faultDetail).toBe('');
  return ctx.request!;
}

function refusalOf(head: unknown, ...tail: readonly Uint8Array[]): string {
  const { fields, body } = binaryBody(head, ...tail);
  const ctx = decodeNow(fields, [body]);
  return `${ctx.fault?.code}: ${ctx.faultDetail}`;
}

const plain = (tensors: readonly Tensor[]): object[] => tensors.map((tensor) => ({ ...tensor, data: [...tensor.data] }));

describe('a body with binary tensors', () => {
  it('gives each input its bytes, in the order of the inputs', () => {
    const head = { id: 'a', inputs: [binaryInput(IMAGE), binaryInput(HALF), binaryInput(BLOB)], parameters: { priority: 1 } };
    const request = requestOf(head, IMAGE.data, HALF.data, BLOB.data);
    expect(plain(request.inputs)).toEqual(plain([IMAGE, HALF, BLOB]));
    expect(request).toMatchObject({ model: 'digits', id: 'a', wanted: [], sequenceId: '', timeoutUs: 0 });
    expect([...request.params]).toEqual([['priority', 1]]);
  });

  it('mixes inputs in JSON with binary ones', () => {
    const inJson = { name: 'image', shape: [1, 2], datatype: 'FP32', data: [1, 2] };
    const request = requestOf({ inputs: [binaryInput(HALF), inJson, binaryInput(BLOB)] }, HALF.data, BLOB.data);
    expect(plain(request.inputs)).toEqual(plain([HALF, IMAGE, BLOB]));
  });

  it('reads the keys of an input in any order, and takes inputs without elements', () => {
    const head = '{"inputs":[{"parameters":{"x":1,"binary_data_size":4},"datatype":"FP16","name":"half","shape":[2]},';
    const empty = '{"shape":[0],"parameters":{"binary_data_size":0},"name":"none","datatype":"FP32"}]}';
    const request = requestOf(head + empty, HALF.data);
    expect(plain(request.inputs)).toEqual(plain([HALF, { name: 'none', datatype: 'FP32', shape: [0], data: new Uint8Array(0) }]));
  });

  it('takes a body of which all is the JSON head', () => {
    expect(requestOf({ inputs: [{ name: 'image', shape: [2], datatype: 'FP32', data: [1, 2] }] }).inputs).toHaveLength(1);
  });

  it('shows tensors as views on a body that came in one piece', () => {
    const { fields, body } = binaryBody({ inputs: [binaryInput(IMAGE), binaryInput(HALF)] }, IMAGE.data, HALF.data);
    const [image, half] = decodeNow(fields, [body]).request!.inputs;
    expect([image!.data.buffer, half!.data.buffer]).toEqual([body.buffer, body.buffer]);
    expect(half!.data.byteOffset).toBe(body.byteOffset + body.length - HALF.data.length);
    expect(image!.data.byteOffset).toBe(half!.data.byteOffset - IMAGE.data.length);
  });

  it('reads the same whatever the pieces that the body comes in', () => {
    const inputs = [binaryInput(IMAGE), binaryInput(BLOB)];
    const { fields, body } = binaryBody(
      { inputs, outputs: [{ name: 'é', parameters: { binary_data: true } }] },
      IMAGE.data,
      BLOB.data,
    );
    const whole = decodeNow(fields, [body]);
    const same = (pieces: readonly Uint8Array[]): void => {
      const ctx = decodeNow(fields, pieces);
      expect({ ...ctx.request, inputs: plain(ctx.request!.inputs) }).toEqual({
        ...whole.request,
        inputs: plain(whole.request!.inputs),
      });
      expect(ctx.answerForm).toEqual(whole.answerForm);
    };
    for (let cut = 0; cut <= body.length; cut++) same([body.subarray(0, cut), body.subarray(cut)]);
    same([...body].map((byte) => Uint8Array.of(byte)));
    fc.assert(
      fc.property(fc.array(fc.nat(body.length), { maxLength: 6 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), body.length];
        same(at.slice(1).map((to, i) => body.subarray(at[i], to)));
      }),
    );
  });

  it.each([
    [{ inputs: [binaryInput(HALF)] }, [], 'input "half": "binary_data_size" is 4, but the body has only 0 more bytes'],
    [
      { inputs: [binaryInput(IMAGE), binaryInput(HALF)] },
      [IMAGE.data, Uint8Array.of(1, 2)],
      'input "half": "binary_data_size" is 4, but the body has only 2 more bytes',
    ],
    [
      { inputs: [binaryInput(HALF)] },
      [HALF.data, Uint8Array.of(1)],
      '1 bytes follow the JSON that no input has a "binary_data_size" for',
    ],
    [{ inputs: [] }, [HALF.data], '4 bytes follow the JSON that no input has a "binary_data_size" for'],
    [
      { inputs: [{ ...binaryInput(IMAGE), data: [1, 2] }] },
      [IMAGE.data],
      'input "image": has both "data" and the parameter "binary_data_size", expected one of them',
    ],
    [
      { inputs: [{ parameters: { binary_data_size: 4 }, datatype: 'FP16', shape: [2] }] },
      [HALF.data],
      'inputs[0]: "name" is missing',
    ],
    [
      { inputs: [{ name: 'half', parameters: { binary_data_size: 4 }, shape: [2] }] },
      [HALF.data],
      'input "half": "datatype" is missing',
    ],
    [
      { inputs: [{ ...HALF, data: undefined, parameters: { binary_data_size: '4' } }] },
      [HALF.data],
      'input "half": expected a whole number for parameter "binary_data_size", found \'"\' at byte 89',
    ],
    [
      '{"inputs":[{"name":"x","datatype":"FP16","shape":[2],"parameters":{"binary_data_size":18446744073709551615}}]}',
      [HALF.data],
      'input "x": "binary_data_size" is 18446744073709552000, but the body has only 4 more bytes',
    ],
    [
      '{"inputs":[{"name":"x","datatype":"FP16","shape":[2],"parameters":{"binary_data_size":4,"binary_data_size":2}}]}',
      [HALF.data],
      'input "x": key "binary_data_size" comes twice at byte 88',
    ],
    [
      { inputs: [binaryInput(HALF, { shared_memory_region: 'r' })] },
      [HALF.data],
      'input "half": parameter "shared_memory_region": shared memory is not available here; send the values',
    ],
    [
      { inputs: [], outputs: [{ name: 'a', parameters: { binary_data: 1 } }] },
      [],
      `outputs[0]: expected true or false for parameter "binary_data", found '1' at byte 64`,
    ],
    [
      { inputs: [], parameters: { binary_data_output: 'yes' } },
      [],
      '"parameters": expected true or false for parameter "binary_data_output", found \'"\' at byte 48',
    ],
  ])('refuses %j', (head, tail, detail) => {
    expect(refusalOf(head, ...tail)).toBe(`MALFORMED: ${detail}`);
  });

  it('says what is missing where a size is stated and no header field says where the JSON ends', () => {
    const { body } = binaryBody({ inputs: [binaryInput(HALF)] });
    expect(decodeNow({}, [body]).faultDetail).toBe(
      'input "half": "binary_data_size" needs the header field Inference-Header-Content-Length, which says where the JSON ends',
    );
  });

  it('keeps nothing of one body for the next', () => {
    const wish = {
      inputs: [binaryInput(HALF)],
      outputs: [{ name: 'a', parameters: { binary_data: true } }],
      parameters: { binary_data_output: true },
    };
    requestOf(wish, HALF.data);
    const ctx = decodeNow({}, [Buffer.from('{"inputs":[],"outputs":[{"name":"a"}]}')]);
    expect(ctx.answerForm).toBe(JSON_ANSWER);
    expect(decodeNow({}, [Buffer.from('{"inputs":[{"name":"x","datatype":"FP32","shape":[1]}]}')]).faultDetail).toContain(
      '"data" is missing',
    );
  });
});

describe('the form of the answer', () => {
  const formOf = (more: object): RequestContext['answerForm'] =>
    decodeNow({}, [Buffer.from(JSON.stringify({ inputs: [], ...more }))]).answerForm;
  const output = (name: string, binary?: boolean): object => ({
    name,
    ...(binary === undefined ? {} : { parameters: { binary_data: binary } }),
  });

  it('is JSON unless the request asks for binary data', () => {
    expect(formOf({})).toBe(JSON_ANSWER);
    expect(formOf({ outputs: [output('a'), output('b', false)], parameters: { binary_data_output: false } })).toBe(JSON_ANSWER);
    expect(formOf({ parameters: { binary_data_output: true } })).toBe(BINARY_ANSWER);
    expect(formOf({ outputs: [output('a', true)], parameters: { binary_data_output: true } })).toBe(BINARY_ANSWER);
  });

  it('follows an output before the request, whichever comes first', () => {
    const outputs = [output('a', true), output('b', false), output('c')];
    for (const binary of [true, false]) {
      const parameters = { binary_data_output: binary };
      for (const more of [
        { outputs, parameters },
        { parameters, outputs },
      ]) {
        const form = formOf(more);
        expect(['a', 'b', 'c', 'd'].map((name) => isBinary(form, name))).toEqual([true, false, binary, binary]);
      }
    }
  });
});

/** Tensors of every datatype whose bytes are what JSON can say as well. */
const tensors: fc.Arbitrary<Tensor> = fc
  .record({
    name: fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' }),
    datatype: fc.constantFrom(...DATATYPES.filter((datatype) => datatype !== 'FP16' && datatype !== 'BF16')),
    rows: fc.nat(3),
    columns: fc.nat(3),
    bytes: fc.uint8Array({ minLength: 72, maxLength: 72 }),
    texts: fc.array(fc.string({ maxLength: 5, unit: 'grapheme' }), { minLength: 9, maxLength: 9 }),
  })
  .map(({ name, datatype, rows, columns, bytes, texts }) => ({
    name,
    datatype,
    shape: [rows, columns],
    data: dataOf(datatype, rows * columns, bytes, texts),
  }));

function dataOf(datatype: Datatype, count: number, bytes: Uint8Array, texts: readonly string[]): Uint8Array {
  if (datatype === 'BYTES') return joinByteStrings(texts.slice(0, count).map((text) => Buffer.from(text)));
  if (datatype === 'BOOL') return bytes.slice(0, count).map((byte) => byte & 1);
  const data = bytes.slice(0, count * elementBytes(datatype));
  const floats = datatype === 'FP32' ? new Float32Array(data.buffer) : datatype === 'FP64' ? new Float64Array(data.buffer) : [];
  // Of the many NaN, JSON can say one.
  floats.forEach((value, i) => {
    if (Number.isNaN(value)) floats[i] = Number.NaN;
  });
  return data;
}

describe('binary and JSON', () => {
  it('are read to equal requests, whichever input comes in which form', () => {
    fc.assert(
      fc.property(
        fc.array(tensors, { maxLength: 3 }),
        fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
        (inputs, binary) => {
          const parts = (forms: readonly boolean[]): string =>
            inputs.map((input, i) => (forms[i] ? JSON.stringify(binaryInput(input)) : jsonInput(input))).join(',');
          const tail = inputs.filter((_, i) => binary[i]).map((input) => input.data);
          const mixed = requestOf(`{"inputs":[${parts(binary)}]}`, ...tail);
          const json = decodeNow({}, [Buffer.from(`{"inputs":[${parts([])}]}`)]).request!;
          expect({ ...mixed, inputs: plain(mixed.inputs) }).toEqual({ ...json, inputs: plain(json.inputs) });
          expect(plain(mixed.inputs)).toEqual(plain(inputs));
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe('any damage to a binary body', () => {
  it('throws nothing, and gives inputs no more bytes than the body has, each of them once', () => {
    const { body, fields } = binaryBody(
      {
        id: 'x',
        inputs: [binaryInput(IMAGE), { name: 'j', shape: [2], datatype: 'INT64', data: [1, 2] }, binaryInput(BLOB)],
        parameters: { binary_data_output: true },
      },
      IMAGE.data,
      BLOB.data,
    );
    const length = Number(fields['inference-header-content-length']);
    const edit = fc.tuple(
      fc.nat(body.length),
      fc.nat(4),
      fc.oneof(
        fc.uint8Array({ maxLength: 3 }),
        fc.constantFrom(
          ...['"', '[', ']', '{', '}', ',', ':', '0', '9', '-', 'binary_data_size', '"data":[1]'].map((text) =>
            Buffer.from(text),
          ),
        ),
      ),
    );
    const lengths = fc.oneof(
      fc.constant(String(length)),
      fc.integer({ min: -5, max: 400 }).map((shift) => String(length + shift)),
      fc.string({ maxLength: 6 }),
    );
    const seen = { read: 0, refused: 0 };
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 3 }), lengths, fc.boolean(), (edits, stated, twoPieces) => {
        let mutant = body;
        for (const [at, cut, insert] of edits)
          mutant = Buffer.concat([mutant.subarray(0, at), insert, mutant.subarray(at + cut)]);
        // Out of the pool that small buffers share, so that views on it can be told.
        mutant = Buffer.from(new Uint8Array(mutant).buffer);
        const pieces = twoPieces ? [mutant.subarray(0, 40), mutant.subarray(40)] : [mutant];
        const ctx = decodeNow({ ...fields, 'inference-header-content-length': stated }, pieces);
        if (ctx.fault !== null) {
          seen.refused++;
          expect(ctx.fault.http).toBeLessThan(500);
          expect(ctx.faultDetail.length).toBeLessThan(400);
          return;
        }
        seen.read++;
        if (twoPieces || stated === '0') return;
        const views = ctx.request!.inputs.filter((input) => input.data.buffer === mutant.buffer);
        let end = mutant.byteOffset + Number(stated);
        for (const { data } of views) {
          expect(data.byteOffset).toBe(end);
          end += data.length;
        }
        expect(end).toBe(mutant.byteOffset + mutant.length);
      }),
      { numRuns: 6_000 },
    );
    expect(seen.read).toBeGreaterThan(300);
    expect(seen.refused).toBeGreaterThan(300);
  });
});
