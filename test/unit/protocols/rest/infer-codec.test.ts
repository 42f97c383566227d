import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinByteStrings } from '../../../../src/core/byte-strings.ts';
import type { RequestContext } from '../../../../src/core/context.ts';
import { Fault } from '../../../../src/core/faults.ts';
import type { InferenceRequest, Tensor } from '../../../../src/core/inference.ts';
import { Verdict } from '../../../../src/core/verdict.ts';
import { answerOf, contextOf, DIGITS_V1, rest } from './rest-fakes.ts';

const protocol = rest();
const PATH = '/v2/models/digits/versions/v1/infer';

function decode(body: string | readonly Uint8Array[]): RequestContext {
  const ctx = contextOf(protocol, { method: 'POST', path: PATH, body });
  const verdict = ctx.codec.decode(ctx);
  expect(verdict).toBe(ctx.fault === null ? Verdict.Next : Verdict.Refuse);
  expect(ctx.request === null).toBe(ctx.fault !== null);
  return ctx;
}

function requestOf(body: unknown): InferenceRequest {
  const ctx = decode(typeof body === 'string' ? body : JSON.stringify(body));
  expect(ctx.faultDetail).toBe('');
  return ctx.request!;
}

function refusalOf(body: unknown): string {
  const ctx = decode(typeof body === 'string' ? body : JSON.stringify(body));
  return `${ctx.fault?.code}: ${ctx.faultDetail}`;
}

const IMAGE = { name: 'image', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4.5] };
const withInput = (changes: object): object => ({ inputs: [{ ...IMAGE, ...changes }] });
const withParameters = (parameters: object): object => ({ parameters, inputs: [IMAGE] });
const floats = (...values: number[]): Uint8Array => new Uint8Array(new Float32Array(values).buffer);

describe('InferCodec.decode', () => {
  it('reads a request', () => {
    const request = requestOf({
      id: 'a "b"',
      parameters: { sequence_id: 7, sequence_start: true, sequence_end: false, priority: 2, timeout: 1500, other: [1] },
      inputs: [IMAGE, { name: 'text', shape: [2], datatype: 'BYTES', data: ['é', ''] }],
      outputs: [{ name: 'scores', parameters: { binary_data: false, unknown: 3 } }, { name: 'label' }],
      extra: { anything: null },
    });
    expect(request).toEqual({
      task: 'predict',
      model: 'digits',
      version: 'v1',
      id: 'a "b"',
      params: new Map<string, unknown>([
        ['sequence_id', 7],
        ['sequence_start', true],
        ['sequence_end', false],
        ['priority', 2],
      ]),
      inputs: [
        { name: 'image', datatype: 'FP32', shape: [1, 4], data: floats(1, 2, 3, 4.5) },
        { name: 'text', datatype: 'BYTES', shape: [2], data: joinByteStrings([Buffer.from('é'), Buffer.from('')]) },
      ],
      wanted: ['scores', 'label'],
      timeoutUs: 1500,
      sequenceId: '7',
    });
  });

  it('needs nothing but inputs', () => {
    expect(requestOf({ inputs: [] })).toEqual({
      task: 'predict',
      model: 'digits',
      version: 'v1',
      id: '',
      params: new Map(),
      inputs: [],
      wanted: [],
      timeoutUs: 0,
      sequenceId: '',
    });
  });

  it('reads the keys of an input in any order', () => {
    const keys = ['name', 'shape', 'datatype', 'data', 'parameters'] as const;
    const values = { ...IMAGE, parameters: { anything: 1 } };
    fc.assert(
      fc.property(fc.shuffledSubarray([...keys], { minLength: 5 }), fc.boolean(), (order, nested) => {
        const data = nested ? [[1, 2, 3, 4.5]] : IMAGE.data;
        const input = order.map((key) => `"${key}":${JSON.stringify(key === 'data' ? data : values[key])}`).join(', ');
        const request = requestOf(`{"inputs": [ {${input}} , {${input.replace('image', 'second')}} ], "id": "x"}`);
        expect(request.inputs.map((tensor) => tensor.name)).toEqual(['image', 'second']);
        for (const tensor of request.inputs) expect(Buffer.from(tensor.data)).toEqual(Buffer.from(floats(1, 2, 3, 4.5)));
        expect(request.id).toBe('x');
      }),
    );
  });

  it('reads the same whatever the pieces that the body comes in', () => {
    const body = Buffer.from(
      JSON.stringify({ id: 'é😀', inputs: [IMAGE], outputs: [{ name: 'scores' }], parameters: { timeout: 5 } }),
    );
    const whole = requestOf(body.toString());
    for (let cut = 0; cut <= body.length; cut++) {
      expect(decode([body.subarray(0, cut), body.subarray(cut)]).request).toEqual(whole);
    }
    expect(decode([...body].map((byte) => Uint8Array.of(byte))).request).toEqual(whole);
    expect(decode([new Uint8Array(body)]).request).toEqual(whole);
  });

  it('keeps sequence ids exact, and takes 0 and an empty one as none', () => {
    const sequence = (id: string): InferenceRequest => requestOf(`{"inputs":[],"parameters":{"sequence_id":${id}}}`);
    expect(sequence('18446744073709551615').sequenceId).toBe('18446744073709551615');
    expect(sequence('18446744073709551615').params.get('sequence_id')).toBe(2n ** 64n - 1n);
    expect(sequence('"chat-1"').sequenceId).toBe('chat-1');
    expect(sequence('"chat-1"').params.get('sequence_id')).toBe('chat-1');
    for (const none of ['0', '""']) {
      expect(sequence(none).sequenceId).toBe('');
      expect(sequence(none).params.has('sequence_id')).toBe(false);
    }
  });

  it('drops what is not on the list, so that a backend never sees it', () => {
    const request = requestOf(
      withParameters({ triton_enable_empty_final_response: true, headers: { a: 1 }, binary_data_output: false }),
    );
    expect([...request.params]).toEqual([]);
  });

  it.each([
    [
      withParameters({ shared_memory_region: 'x' }),
      '"parameters": parameter "shared_memory_region": shared memory is not available here; send the values',
    ],
    [
      { inputs: [], outputs: [{ name: 'a', parameters: { shared_memory_offset: 0 } }] },
      'outputs[0]: parameter "shared_memory_offset": shared memory is not available here; send the values',
    ],
    [
      withInput({ parameters: { shared_memory_byte_size: 1 } }),
      'input "image": parameter "shared_memory_byte_size": shared memory is not available here; send the values',
    ],
    [withParameters({ timeout: -1 }), `"parameters": expected a whole number for parameter "timeout", found '-' at byte 25`],
    [withParameters({ timeout: 1.5 }), '"parameters": parameter "timeout" must be a whole number of at most 64 bits'],
    [
      '{"parameters":{"priority":99999999999999999999},"inputs":[]}',
      '"parameters": parameter "priority" must be a whole number of at most 64 bits',
    ],
    [
      withParameters({ sequence_start: 1 }),
      `"parameters": expected true or false for parameter "sequence_start", found '1' at byte 32`,
    ],
    [withParameters({ sequence_id: 'x'.repeat(257) }), '"parameters": parameter "sequence_id" is longer than 256 bytes'],
    ['', 'expected an object, found the end at byte 0'],
    ['[]', `expected an object, found '[' at byte 0`],
    ['{}', '"inputs" is missing'],
    ['{"inputs":[]} x', `expected nothing more, found 'x' at byte 14`],
    ['{"inputs":[],"inputs":[]}', 'key "inputs" comes twice at byte 13'],
    [`{"inputs":[{"name":"a","name":"b"}]}`, 'input "a": key "name" comes twice at byte 23'],
    [{ id: 5, inputs: [] }, `"id": expected a string, found '5' at byte 6`],
    [{ id: 'x'.repeat(1_025), inputs: [] }, '"id": longer than 1024 bytes'],
    [{ inputs: [IMAGE, IMAGE, IMAGE, IMAGE] }, '"inputs": more than 3 tensors'],
    [{ inputs: [], outputs: [{ name: 'a' }, { name: 'b' }, { name: 'c' }, { name: 'd' }] }, '"outputs": more than 3 tensors'],
    [{ inputs: [], outputs: [{ name: 'a' }, {}] }, 'outputs[1]: "name" is missing or empty'],
    [{ inputs: [], outputs: [{ name: 7 }] }, `outputs[0]: expected a string for "name", found '7' at byte 32`],
    [withInput({ name: '' }), 'inputs[0]: "name" is empty'],
    [withInput({ name: 7 }), `inputs[0]: expected a string for "name", found '7' at byte 19`],
    [{ inputs: [{ shape: [1], datatype: 'FP32', data: [1] }] }, 'inputs[0]: "name" is missing'],
    [withInput({ datatype: undefined }), 'input "image": "datatype" is missing'],
    [withInput({ shape: undefined }), 'input "image": "shape" is missing'],
    [withInput({ data: undefined }), 'input "image": "data" is missing, and so is the parameter "binary_data_size"'],
    [
      withInput({ datatype: 'FLOAT' }),
      'input "image": there is no datatype "FLOAT"; expected one of BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, FP16, BF16, FP32, FP64, BYTES',
    ],
    [
      withInput({ datatype: 'FP16' }),
      'input "image": FP16 data has no JSON form: send it as binary data (parameters.binary_data_size) or over gRPC',
    ],
    [
      withInput({ shape: [1, -4] }),
      'input "image": dimensions in "shape" must be whole numbers from 0 on, found another at byte 38',
    ],
    [
      withInput({ shape: [1.5] }),
      'input "image": dimensions in "shape" must be whole numbers from 0 on, found another at byte 36',
    ],
    [withInput({ shape: ['1'] }), `input "image": expected a number in "shape", found '"' at byte 36`],
    [withInput({ shape: [1, 1, 1, 1, 1, 1, 1, 1, 1] }), 'input "image": "shape" has more than 8 dimensions'],
    [
      withInput({ shape: [99999999, 99999999, 99999999] }),
      'input "image": shape [99999999,99999999,99999999] holds more values than can be counted',
    ],
    [withInput({ shape: [1, 28, 28], data: [1, 2, 3] }), 'input "image": expected 784 values for shape [1,28,28], found 3'],
    [withInput({ shape: [1_000_000_000] }), 'input "image": expected 1000000000 values for shape [1000000000], found 4'],
    [withInput({ data: ['1', 2, 3, 4] }), 'input "image": value 0 is a string, expected a number for FP32 at byte 67'],
    [withInput({ data: 7 }), `input "image": expected an array of values, found '7' at byte 66`],
    [{ inputs: [IMAGE, { ...IMAGE, name: 'b', data: [1] }] }, 'input "b": expected 4 values for shape [1,4], found 1'],
  ])('refuses %j', (body, detail) => {
    expect(refusalOf(body)).toBe(`MALFORMED: ${detail}`);
  });

  it('cuts what it repeats of the body', () => {
    expect(refusalOf(withInput({ name: 'n'.repeat(1_000), data: [] })).length).toBeLessThan(200);
    expect(refusalOf(withInput({ datatype: 'D'.repeat(10_000) })).length).toBeLessThan(300);
  });

  it('refuses depth bombs wherever they stand, at once', () => {
    const bomb = '['.repeat(4_000_000);
    for (const body of [
      bomb,
      `{"x":${bomb}`,
      `{"inputs":[{"data":${bomb}`,
      `{"inputs":[{"datatype":"FP32","shape":[1,1],"data":${bomb}`,
    ]) {
      const start = performance.now();
      expect(refusalOf(body)).toMatch(/^MALFORMED: /);
      expect(performance.now() - start).toBeLessThan(250);
    }
  });

  it('survives any damage to a body, and takes of damaged ones only well-formed JSON', () => {
    const body = Buffer.from(
      JSON.stringify({
        id: 'é',
        parameters: { sequence_id: 5 },
        inputs: [
          {
            data: [
              [1.5, -2e3],
              [3, 4],
            ],
            name: 'a',
            shape: [2, 2],
            datatype: 'FP32',
          },
          { name: 'b', datatype: 'BYTES', shape: [2], data: ['x\n', 'é'] },
        ],
      }),
    );
    const edit = fc.tuple(
      fc.nat(body.length),
      fc.nat(4),
      fc.oneof(
        fc.uint8Array({ maxLength: 3 }),
        fc.constantFrom(...['"', '\\', '[', ']', '{', '}', ',', ':', '0', 'e', '-', 'NaN'].map((text) => Buffer.from(text))),
      ),
    );
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        let mutant = body;
        for (const [at, cut, insert] of edits)
          mutant = Buffer.concat([mutant.subarray(0, at), insert, mutant.subarray(at + cut)]);
        const ctx = decode([mutant]);
        if (ctx.fault !== null) return;
        accepted++;
        // NaN is the one thing that JSON.parse would not take.
        expect(() => JSON.parse(mutant.toString().replaceAll(/-Infinity|Infinity|NaN/g, '0'))).not.toThrow();
      }),
      { numRuns: 6_000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  it('keeps nothing of one request for the next', () => {
    requestOf({ id: 'first', parameters: { sequence_id: 1, timeout: 9 }, inputs: [IMAGE], outputs: [{ name: 'scores' }] });
    requestOf(withParameters({ binary_data_output: true }));
    expect(refusalOf('{')).toMatch(/^MALFORMED: expected a key/);
    expect(requestOf({ inputs: [] })).toMatchObject({ id: '', sequenceId: '', timeoutUs: 0, wanted: [], inputs: [] });
  });
});

describe('InferCodec.encode', () => {
  function encode(outputs: Tensor[], id = ''): RequestContext {
    const ctx = decode(JSON.stringify({ ...(id === '' ? {} : { id }), inputs: [IMAGE] }));
    ctx.prediction = { outputs, computeUs: 1 };
    ctx.answeredBy = DIGITS_V1;
    ctx.codec.encode(ctx);
    return ctx;
  }

  it('writes the answer under the variant that gave it, with the id of the request', () => {
    const outputs: Tensor[] = [
      { name: 'scores', datatype: 'FP32', shape: [1, 2], data: floats(0.1, 0.9) },
      { name: 'é "label"', datatype: 'BYTES', shape: [1], data: joinByteStrings([Buffer.from('seven\n')]) },
    ];
    const json = {
      model_name: 'digits',
      model_version: 'v1',
      id: 'ü\u2028',
      outputs: [
        { name: 'scores', shape: [1, 2], datatype: 'FP32', data: [0.1, 0.9] },
        { name: 'é "label"', shape: [1], datatype: 'BYTES', data: ['seven\n'] },
      ],
    };
    expect(answerOf(encode(outputs, 'ü\u2028'))).toEqual({ status: 200, headers: [], json });
  });

  it('leaves the id out where none was given', () => {
    expect(answerOf(encode([])).json).toEqual({ model_name: 'digits', model_version: 'v1', outputs: [] });
  });

  it.each([
    [
      'FP16',
      Uint8Array.of(0, 0),
      'output "scores": FP16 data has no JSON form: ask for it as binary data (parameters.binary_data) or over gRPC',
    ],
    [
      'BYTES',
      joinByteStrings([Uint8Array.of(0xff)]),
      'output "scores": value 0 is not UTF-8, which JSON needs: ask for it as binary data (parameters.binary_data) or over gRPC',
    ],
  ] as const)('says so when an output of %s cannot be said in JSON', (datatype, data, detail) => {
    const ctx = encode([{ name: 'scores', datatype, shape: [1], data }]);
    expect(ctx.fault).toBe(Fault.NotSupported);
    expect(answerOf(ctx)).toEqual({
      status: 501,
      headers: [],
      json: { error: `This is not supported here. ${detail}`, code: 'NOT_SUPPORTED' },
    });
  });
});

describe('InferCodec.encodeFault', () => {
  it('writes every fault with its own status and code', () => {
    for (const kind of Object.values(Fault)) {
      for (const detail of ['', 'more "detail"']) {
        const ctx = contextOf(protocol, { method: 'POST', path: PATH });
        ctx.refuse(kind, detail);
        ctx.codec.encodeFault(ctx);
        const { status, json } = answerOf(ctx);
        expect(status).toBe(kind.http);
        expect(json).toMatchObject({ code: kind.code, error: expect.stringContaining(kind.message) });
        // What a backend said may be another caller's business.
        if (detail !== '') expect((json as { error: string }).error.includes(detail)).toBe(!kind.code.startsWith('BACKEND_'));
      }
    }
  });
});
