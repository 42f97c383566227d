import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinByteStrings, splitByteStrings } from '../../../../src/core/byte-strings.ts';
import type { InferenceRequest, Tensor } from '../../../../src/core/inference.ts';
import { answered, ask, requestOf } from '../http-fakes.ts';

const read = (model: string, body: string) => requestOf({ path: `/v2/models/${model}/generate`, body });

async function readWell(model: string, body: string): Promise<InferenceRequest> {
  const request = await read(model, body);
  if (typeof request === 'string') throw new Error(request);
  return request;
}

const texts = (tensor: Tensor): string[] => splitByteStrings(tensor.data).map((element) => Buffer.from(element).toString());
const floats = (tensor: Tensor): number[] => [...new Float32Array(new Uint8Array(tensor.data).buffer)];

describe('a body of generate', () => {
  it('gives the one text the rank of the input', async () => {
    const request = await readWell('text', '{"id":"7","text_input":"h\\u00e9"}');
    expect(request).toMatchObject({ model: 'text', version: '', id: '7', inputs: [{ name: 'text_input', shape: [1, 1] }] });
    expect(texts(request.inputs[0]!)).toEqual(['hé']);
  });

  it.each([
    ['{"image":[1,2,3,4]}', [1, 4]],
    ['{"image":[[1,2,3,4]]}', [1, 4]],
    ['{"image":[[1,2],[3,4]]}', [2, 2]],
    ['{"image":1}', [1, 1]],
  ])('gives %s a shape by its nesting and the rank of the input', async (body, shape) => {
    const [image] = (await readWell('digits', body)).inputs;
    expect(image).toMatchObject({ name: 'image', datatype: 'FP32', shape });
    expect(floats(image!)).toEqual([1, 2, 3, 4].slice(0, shape[0]! * shape[1]!));
  });

  it('gives a flat list the shape of one row where it has as many values', async () => {
    const signature = {
      platform: 'any',
      decoupled: false,
      inputs: [{ name: 'x', datatype: 'UINT8', shape: [-1, 2, 3] }],
      outputs: [{ name: 'y', datatype: 'UINT8', shape: [-1] }],
    } as const;
    const made = (body: string) => requestOf({ path: '/v2/models/made/generate', body, signature });
    expect(await made('{"x":[1,2,3,4,5,6]}')).toMatchObject({ inputs: [{ shape: [1, 2, 3] }] });
    expect(await made('{"x":[1,2,3]}')).toMatchObject({ inputs: [{ shape: [1, 1, 3] }] });
    expect(await made('{"x":[1,2]}')).toMatchObject({ inputs: [{ shape: [1, 1, 2] }] });
  });

  it('leaves scalars scalars', async () => {
    const { inputs } = await readWell('scalar', '{"wave":[1,2,3],"rate":16000}');
    expect(inputs.map((input) => input.shape)).toEqual([[3], []]);
  });

  it('takes inputs among the parameters, keeps the parameters that are allowed, and drops the others', async () => {
    const body = '{"text_input":"a","parameters":{"sequence_id":"s","priority":2,"timeout":5,"temperature":0.5,"stream":false}}';
    const request = await readWell('text', body);
    expect([...request.params]).toEqual([
      ['sequence_id', 's'],
      ['priority', 2],
    ]);
    expect([request.timeoutUs, request.sequenceId]).toEqual([5, 's']);
    const inner = await readWell('people', '{"name":"x","parameters":{"ids":[1,2],"other":{"a":[1]}}}');
    expect(inner.inputs.map((input) => [input.name, input.shape])).toEqual([
      ['name', [1]],
      ['ids', [1, 2]],
    ]);
  });

  it.each([
    ['text', ' ', 'expected an object'],
    ['text', '"x"', 'expected an object'],
    ['text', '{"text_input":"a","prompt":"b"}', '"prompt" is no input of the model; there are "text_input"'],
    ['text', '{"text_input":1}', 'input "text_input": value 0 is a number, expected a string'],
    ['text', '{"text_input":["a",["b"]]}', 'input "text_input": value 1 is an array'],
    ['text', '{"text_input":"a","text_input":"b"}', 'comes twice'],
    ['text', '{"text_input":"a","id":7}', '"id": expected a string'],
    ['text', `{"text_input":"a","id":"${'x'.repeat(1_025)}"}`, '"id": longer than 1024 bytes'],
    ['text', '{"text_input":"a","parameters":[]}', '"parameters": expected an object'],
    ['text', '{"text_input":"a","parameters":{"shared_memory_region":"r"}}', 'shared memory'],
    ['text', '{"text_input":"a","parameters":{"priority":-1}}', '"parameters": expected a whole number'],
    ['digits', '{"image":"1"}', 'input "image": value 0 is a string'],
    ['half', '{"x":1}', 'FP16 data has no JSON form'],
  ])('of %s is refused: %s', async (model, body, detail) => {
    const refusal = await read(model, body);
    expect(refusal).toMatch(/^MALFORMED: /);
    expect(refusal).toContain(detail);
  });

  it('gives an input twice when it stands at both places, which the model contract then refuses', async () => {
    const { inputs } = await readWell('text', '{"text_input":"a","parameters":{"text_input":"b"}}');
    expect(inputs.map((input) => input.name)).toEqual(['text_input', 'text_input']);
  });

  it('has to be said to be JSON', async () => {
    const path = '/v2/models/text/generate';
    const fields = { 'content-type': 'text/plain' };
    expect(await ask({ method: 'POST', path, fields })).toMatchObject({ status: 415, json: { code: 'MEDIA_TYPE' } });
    expect(await ask({ method: 'POST', path, contentLength: 10_000_000 })).toMatchObject({ status: 413 });
  });
});

describe('an answer of generate', () => {
  const text = (...elements: readonly string[]): Tensor => ({
    name: 'text_output',
    datatype: 'BYTES',
    shape: [elements.length, 1],
    data: joinByteStrings(elements.map((element) => Buffer.from(element))),
  });
  const asked = (verb: string, more = '') => ({ path: `/v2/models/text/${verb}`, body: `{"text_input":"a"${more}}` });

  it('is one flat object, with tensors of one value bare and others as flat lists', async () => {
    const answer = await answered(asked('generate', ',"id":"7"'), [text('o"k')]);
    expect(answer).toMatchObject({ status: 200, type: 'application/json' });
    expect(answer.text).toBe('{"id":"7","model_name":"text","model_version":"v1","text_output":"o\\"k"}');
    expect((await answered(asked('generate'), [text('a', 'b')])).text).toBe(
      '{"model_name":"text","model_version":"v1","text_output":["a","b"]}',
    );
  });

  it('is one event of a stream for generate_stream, and keeps line ends inside of strings', async () => {
    const answer = await answered(asked('generate_stream'), [text('a\n\nb')]);
    expect(answer).toMatchObject({ status: 200, type: 'text/event-stream; charset=utf-8' });
    expect(answer.text).toBe('data: {"model_name":"text","model_version":"v1","text_output":"a\\n\\nb"}\n\n');
  });

  it('lets an output keep a name that the answer has for itself', async () => {
    const { json } = await answered(asked('generate', ',"id":"7"'), [
      { ...text('mine'), name: 'id' },
      { ...text('x'), name: 'model_name' },
    ]);
    expect(json).toEqual({ id: 'mine', model_name: 'x', model_version: 'v1' });
  });

  it('is refused in plain JSON for bytes that are no text, and for requests that are refused', async () => {
    const bad: Tensor = { ...text(''), data: joinByteStrings([Buffer.from([0xff])]) };
    for (const verb of ['generate', 'generate_stream']) {
      expect(await answered(asked(verb), [bad])).toMatchObject({ status: 501, json: { code: 'NOT_SUPPORTED' } });
      expect(await ask({ path: `/v2/models/text/${verb}`, body: '{}x' })).toMatchObject({
        status: 400,
        type: 'application/json',
      });
    }
  });
});

describe('a damaged body of generate', () => {
  it('throws nothing, and gives inputs no more bytes than it could hold', async () => {
    const seed = '{"id":"é","name":["a",{"b64":"aGk="}],"parameters":{"ids":[[1,2],[3,4]],"priority":1,"x":{"y":[null,true]}}}';
    const edit = fc.record({
      at: fc.nat(seed.length),
      cut: fc.nat(3),
      put: fc.constantFrom('', '[', ']', '{', '}', '"', ',', ':', '0', '\\u', 'NaN', '\xff'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
        let body = Buffer.from(seed, 'latin1');
        for (const { at, cut, put } of edits) {
          body = Buffer.concat([body.subarray(0, at), Buffer.from(put, 'latin1'), body.subarray(at + cut)]);
        }
        const request = await requestOf({ method: 'POST', path: '/v2/models/people/generate', body });
        if (typeof request === 'string') {
          expect(request).toMatch(/^MALFORMED: ./);
          return;
        }
        for (const input of request.inputs) expect(input.data.length).toBeLessThanOrEqual(body.length * 8);
      }),
      { numRuns: 3_000 },
    );
  });
});
