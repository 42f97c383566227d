import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { joinByteStrings, splitByteStrings } from '../../../../src/core/byte-strings.ts';
import type { InferenceRequest, Tensor } from '../../../../src/core/inference.ts';
import type { Signature } from '../../../../src/core/signature.ts';
import { answered, ask, requestOf } from '../http-fakes.ts';

const read = (model: string, body: string) => requestOf({ path: `/v1/models/${model}:predict`, body });

async function inputsOf(model: string, body: string): Promise<readonly Tensor[]> {
  const request = await read(model, body);
  if (typeof request === 'string') throw new Error(request);
  return request.inputs;
}

const floats = (tensor: Tensor): number[] => [...new Float32Array(new Uint8Array(tensor.data).buffer)];
const longs = (tensor: Tensor): bigint[] => [...new BigInt64Array(new Uint8Array(tensor.data).buffer)];
const texts = (tensor: Tensor): string[] =>
  splitByteStrings(tensor.data).map((element) => Buffer.from(element).toString('latin1'));

describe('a V1 body', () => {
  it.each([
    '{"instances":[[1,2,3,4],[5,6,7,8]]}',
    '{"signature_name":"serving_default","instances":[[1,2,3,4],[5,6,7,8]],"more":{"a":[1]}}',
    '{"instances":[{"image":[1,2,3,4]},{"image":[5,6,7,8]}],"signature_name":""}',
    '{"inputs":[[1,2,3,4],[5,6,7,8]]}',
    '{"inputs":{"image":[[1,2,3,4],[5,6,7,8]]}}',
    ' { "inputs" : { "im\\u0061ge" : [ [1,2,3,4] , [5,6,7,8] ] } } ',
  ])('holds the input in any of its forms: %s', async (body) => {
    const request = (await read('digits', body)) as InferenceRequest;
    expect(request).toMatchObject({ model: 'digits', version: '', id: '', wanted: [], timeoutUs: 0, sequenceId: '' });
    expect(request.params.size).toBe(0);
    const [image] = request.inputs;
    expect(image).toMatchObject({ name: 'image', datatype: 'FP32', shape: [2, 4] });
    expect(floats(image!)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('gathers named inputs over rows, whatever their order, with 64-bit integers exact', async () => {
    const body = '{"instances":[{"name":"a","ids":[1,9007199254740993]},{"ids":[-9223372036854775808,4],"name":"b"}]}';
    const [name, ids] = await inputsOf('people', body);
    expect(name).toMatchObject({ name: 'name', datatype: 'BYTES', shape: [2] });
    expect(texts(name!)).toEqual(['a', 'b']);
    expect(ids).toMatchObject({ name: 'ids', shape: [2, 2] });
    expect(longs(ids!)).toEqual([1n, 9007199254740993n, -9223372036854775808n, 4n]);
  });

  it('takes base64 for bytes, beside text', async () => {
    const values = ['{"b64":"/w=="}', '"\\u00ff"', '{"b64":"aGk"}', '{"b64":""}', '{"b64":"\\/w=="}', '""'];
    const body = `{"inputs":{"name":[${values.join(',')}],"ids":[${values.map(() => '[1,2]').join(',')}]}}`;
    const [name] = await inputsOf('people', body);
    expect(texts(name!)).toEqual(['\xff', '\xc3\xbf', 'hi', '', '\xff', '']);
    const rows = values.map((value) => `{"ids":[1,2],"name":${value}}`).join(',');
    const [, again] = await inputsOf('people', `{"instances":[${rows}]}`);
    expect(again!.data).toEqual(name!.data);
  });

  it('takes a base64 value without a name for the only input', async () => {
    const [text] = await inputsOf('text', '{"instances":[[{"b64":"aGk="}]]}');
    expect(text).toMatchObject({ name: 'text_input', shape: [1, 1] });
    expect(await inputsOf('text', '{"inputs":[[{"b64":"aGk="}]]}')).toEqual([text]);
    expect(await inputsOf('text', '{"inputs":{"text_input":[["hi"]]}}')).toEqual([text]);
    const flat = await inputsOf('text', '{"instances":[{"b64":"aGk="}]}');
    expect(flat[0]).toMatchObject({ shape: [1] });
  });

  it('holds scalars where inputs are given by name', async () => {
    const [wave, rate] = await inputsOf('scalar', '{"inputs":{"wave":[1,2.5,3],"rate":16000}}');
    expect(rate).toMatchObject({ name: 'rate', shape: [] });
    expect(longs(rate!)).toEqual([16000n]);
    expect(wave).toMatchObject({ name: 'wave', datatype: 'FP64', shape: [3] });
  });

  it('may be packed', async () => {
    const body = gzipSync('{"instances":[[1,2,3,4]]}');
    const fields = { 'content-encoding': 'gzip' };
    expect(await requestOf({ path: '/v1/models/digits:predict', body, fields })).toMatchObject({ inputs: [{ shape: [1, 4] }] });
  });

  it.each([
    ['digits', ' ', 'expected an object'],
    ['digits', '[]', 'expected an object'],
    ['digits', '{}', 'expected "instances" or "inputs"'],
    ['digits', '{"instances":[]}', '"instances": found no instance'],
    ['digits', '{"instances":{"image":[[1]]}}', '"instances": expected an array'],
    ['digits', '{"instances":[[1,2,3,4]],"inputs":[[1,2,3,4]]}', 'found both "instances" and "inputs"'],
    ['digits', '{"instances":[[1]],"instances":[[1]]}', 'key "instances" comes twice'],
    [
      'digits',
      '{"instances":[[1,2],[3]]}',
      'input "image": data does not nest as shape [2,2]: expected 2 values in dimension 1, found 1',
    ],
    ['digits', '{"instances":[[1],[2,3]]}', 'expected 1 values in dimension 1, found more than 1'],
    ['digits', '{"instances":[[1,2],3]}', 'expected an array'],
    ['digits', '{"instances":[1,[2]]}', 'value 1 is an array, expected a number for FP32'],
    ['digits', '{"instances":["x"]}', 'value 0 is a string, expected a number'],
    ['digits', '{"instances":[null]}', 'value 0 is null'],
    ['digits', '{"instances":[{"b64":"aGk="}]}', 'value 0 is an object, expected a number'],
    ['digits', '{"instances":[{"picture":[1]}]}', 'instances[0]: "picture" is no input of the model; there are "image"'],
    ['digits', '{"instances":[{"image":[1]},{"image":[1,2]}]}', 'instances[1]: data does not nest as shape [1]'],
    ['digits', '{"instances":[{"image":[1]},{}]}', 'instances[1]: found 0 inputs, expected 1'],
    ['digits', '{"instances":[{},{"image":[1]}]}', 'instances[1]: input "image" is missing in the first row'],
    ['digits', '{"instances":[{"image":[1]},[1]]}', 'instances[1]: expected an object'],
    ['digits', '{"instances":[{"image":[1],"image":[1]}]}', 'instances[0]: key "image" comes twice'],
    [
      'digits',
      '{"signature_name":"other","instances":[[1]]}',
      '"signature_name": found "other", there is "serving_default" alone',
    ],
    ['digits', '{"signature_name":1,"instances":[[1]]}', '"signature_name": expected a string'],
    ['digits', '{"instances":[[1]]} x', 'expected nothing more'],
    ['digits', '{"instances":[[1]', 'the end'],
    ['people', '{"instances":["a"]}', 'found values without names, expected an object with the inputs "name", "ids"'],
    ['people', '{"inputs":["a"]}', 'found values without names'],
    ['people', '{"inputs":{"name":[{"b64":"a"}]}}', 'input "name": value 0 is not base64'],
    ['people', '{"inputs":{"name":[{"b64":"a b="}]}}', 'is not base64'],
    ['people', '{"inputs":{"name":[{"b64":"aGk=="}]}}', 'is not base64'],
    ['people', '{"inputs":{"name":[{"b64":1}]}}', 'is an object, expected a string or {"b64": "…"}'],
    ['people', '{"inputs":{"name":[{"b64":"aGk=","x":1}]}}', 'is an object, expected a string or'],
    ['people', '{"inputs":{"name":[{"x":1}]}}', 'is an object, expected a string or'],
    ['people', '{"inputs":{"ids":[[1.5,2]]}}', 'value 0 has a fraction'],
    ['people', '{"inputs":{"ids":[[9223372036854775808,2]]}}', 'does not fit INT64'],
    ['half', '{"instances":[1]}', 'FP16 data has no JSON form'],
  ])('of %s is refused: %s', async (model, body, detail) => {
    const refusal = await read(model, body);
    expect(refusal).toMatch(/^MALFORMED: /);
    expect(refusal).toContain(detail);
  });

  it('names as many inputs as a table of features has', async () => {
    const names = Array.from({ length: 80 }, (_, i) => `feature${i}`);
    const signature: Signature = {
      platform: 'any',
      decoupled: false,
      inputs: names.map((name) => ({ name, datatype: 'INT64', shape: [-1] })),
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
    };
    const made = (body: unknown) => requestOf({ path: '/v1/models/made:predict', body: JSON.stringify(body), signature });
    const row = (n: number) => Object.fromEntries(names.map((name, i) => [name, n + i]));
    const byRow = (await made({ instances: [row(0), row(100)] })) as InferenceRequest;
    expect(byRow.inputs.map((input) => input.name)).toEqual(names);
    expect(longs(byRow.inputs[79]!)).toEqual([79n, 179n]);
    const byColumn = await made({ inputs: Object.fromEntries(names.map((name, i) => [name, [i, 100 + i]])) });
    expect(byColumn).toEqual(byRow);
    expect(await made({ instances: [{ ...row(0), feature80: 1 }] })).toContain('"feature80" is no input of the model');
  });

  it('nests no deeper than the limit', async () => {
    expect(await read('digits', `{"inputs":${'['.repeat(100)}${']'.repeat(100)}}`)).toContain('nested deeper than 16 levels');
    expect(await read('digits', `{"more":${'['.repeat(100)}${']'.repeat(100)}}`)).toContain('nested deeper than 16 levels');
  });

  it('gets no more memory than its length is worth, however large its first row says the others are', async () => {
    const first = new Array(10_000).fill('1').join(',');
    const rows = new Array(10_000).fill('{}').join(',');
    expect(await read('digits', `{"instances":[{"image":[${first}]},${rows}]}`)).toContain('do not all nest as the first');
    expect(await read('digits', `{"instances":[[${first}],${new Array(10_000).fill('[]').join(',')}]}`)).toContain(
      'do not all nest',
    );
    const both = await read('scalar', `{"instances":[{"wave":1,"rate":1},${rows}]}`);
    expect(both).toContain('the other rows are smaller');
  });

  it('is refused for a model that is still warming, or whose answer JSON cannot say', async () => {
    expect(await read('cold', '{"instances":[1]}')).toMatch(/^NO_VARIANT/);
    expect(await read('halfout', '{"instances":[1]}')).toMatch(/^NOT_SUPPORTED: output "y": BF16/);
  });
});

describe('a V1 answer', () => {
  const bytes = (...elements: readonly (string | Buffer)[]): Uint8Array =>
    joinByteStrings(elements.map((element) => Buffer.from(element as string)));
  const scores: Tensor = {
    name: 'scores',
    datatype: 'FP32',
    shape: [2, 2],
    data: new Uint8Array(Float32Array.of(0.1, 2, Number.NaN, Number.NEGATIVE_INFINITY).buffer),
  };
  const people: Tensor[] = [
    { name: 'greeting', datatype: 'BYTES', shape: [2], data: bytes('h"i', Buffer.from([0xff])) },
    { name: 'raw_bytes', datatype: 'BYTES', shape: [2], data: bytes('hi', '') },
    {
      name: 'sums',
      datatype: 'UINT64',
      shape: [2, 2],
      data: new Uint8Array(BigUint64Array.of(1n, 2n ** 64n - 1n, 3n, 2n ** 53n).buffer),
    },
  ];
  const digits = (body: string) => ({ path: '/v1/models/digits:predict', body });
  const named = (body: string) => ({ path: '/v1/models/people:predict', body });

  it('has predictions for instances and outputs for inputs; one output goes without its name', async () => {
    const rows = await answered(digits('{"instances":[[1,2,3,4],[1,2,3,4]]}'), [{ ...scores, data: new Uint8Array(16) }]);
    expect(rows.text).toBe('{"predictions":[[0,0],[0,0]]}');
    const columns = await answered(digits('{"inputs":[[1,2,3,4],[1,2,3,4]]}'), [{ ...scores, data: new Uint8Array(16) }]);
    expect(columns.text).toBe('{"outputs":[[0,0],[0,0]]}');
    expect([columns.status, columns.type]).toEqual([200, 'application/json']);
  });

  it('has several outputs by name, with 64-bit integers exact and bytes as base64', async () => {
    const rows = '{"instances":[{"name":"a","ids":[1,2]},{"name":"b","ids":[1,2]}]}';
    expect((await answered(named(rows), people)).text).toBe(
      '{"predictions":[{"greeting":"h\\"i","raw_bytes":{"b64":"aGk="},"sums":[1,18446744073709551615]},' +
        '{"greeting":{"b64":"/w=="},"raw_bytes":{"b64":""},"sums":[3,9007199254740992]}]}',
    );
    const columns = '{"inputs":{"name":["a","b"],"ids":[[1,2],[1,2]]}}';
    expect((await answered(named(columns), people)).text).toBe(
      '{"outputs":{"greeting":["h\\"i",{"b64":"/w=="}],"raw_bytes":[{"b64":"aGk="},{"b64":""}],' +
        '"sums":[[1,18446744073709551615],[3,9007199254740992]]}}',
    );
  });

  it.each([
    ['BOOL', Uint8Array.of(0, 1), '[false,true]'],
    ['INT8', Int8Array.of(-128, 127), '[-128,127]'],
    ['UINT8', Uint8Array.of(0, 255), '[0,255]'],
    ['INT16', Int16Array.of(-32768, 32767), '[-32768,32767]'],
    ['UINT16', Uint16Array.of(0, 65535), '[0,65535]'],
    ['INT32', Int32Array.of(-2147483648, 2147483647), '[-2147483648,2147483647]'],
    ['UINT32', Uint32Array.of(0, 4294967295), '[0,4294967295]'],
    ['INT64', BigInt64Array.of(-(2n ** 63n), -5n), '[-9223372036854775808,-5]'],
    ['FP32', Float32Array.of(0.1, -0), '[0.1,-0.0]'],
    ['FP64', Float64Array.of(0.1, 1e300), '[0.1,1e+300]'],
  ] as const)('writes %s', async (datatype, values, text) => {
    const output: Tensor = { name: 'y', datatype, shape: [2], data: new Uint8Array(values.buffer) };
    expect((await answered(digits('{"inputs":[[1,2,3,4]]}'), [output])).text).toBe(`{"outputs":${text}}`);
  });

  it('writes NaN and the infinities as other servers do', async () => {
    const answer = await answered(digits('{"instances":[[1,2,3,4],[1,2,3,4]]}'), [scores]);
    expect(answer.text).toBe('{"predictions":[[0.1,2],[NaN,-Infinity]]}');
  });

  it('is refused where outputs are no rows and rows were asked for', async () => {
    const output: Tensor = { name: 'sum', datatype: 'FP64', shape: [], data: new Uint8Array(8) };
    const rows = await answered(digits('{"instances":[[1,2,3,4]]}'), [output]);
    expect(rows).toMatchObject({ status: 501, json: { code: 'NOT_SUPPORTED' } });
    expect(rows.text).toContain('ask with \\"inputs\\"');
    expect((await answered(digits('{"inputs":[[1,2,3,4]]}'), [output])).text).toBe('{"outputs":0}');
    expect((await answered(digits('{"instances":[[1,2,3,4]]}'), [scores, { ...scores, shape: [4], name: 'b' }])).status).toBe(
      501,
    );
  });

  it('is packed where the caller wants that', async () => {
    const output: Tensor = { name: 'y', datatype: 'FP32', shape: [1, 4_096], data: new Uint8Array(16_384) };
    const asked = { ...digits('{"instances":[[1,2,3,4]]}'), fields: { 'accept-encoding': 'gzip' } };
    const answer = await answered(asked, [output]);
    expect(answer.headers).toEqual(['content-encoding', 'gzip', 'vary', 'accept-encoding']);
  });

  it('says in a refusal what is wrong as every face does', async () => {
    const answer = await ask(digits('{"instances":[["x"]]}'));
    expect(answer).toMatchObject({ status: 400, json: { code: 'MALFORMED' } });
    expect(Object.keys(answer.json as object)).toEqual(['error', 'code']);
  });
});
