import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDigits } from '../../scripts/models/digits-data.ts';
import { joinByteStrings } from '../../src/core/byte-strings.ts';
import { GrpcCaller, rawOutputs } from '../support/clients.ts';
import { grpcVariant, onnxVariant, TENANTS } from '../support/configs.ts';
import { type GatewayUnderTest, metric, startGateway } from '../support/gateway-under-test.ts';
import { type OipServer, startOipServer } from '../support/oip-server.ts';
import { type RawAnswer, rawPost } from '../support/raw-post.ts';

/** The binary tensor extension of the protocol, over real sockets. */

const MIB = 1_048_576;
const [first, second] = loadDigits().heldOut.map(({ pixels }) =>
  Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength),
);
let backend: OipServer;
let gateway: GatewayUnderTest;
let grpc: GrpcCaller;

const echo = (name: string, datatype: string, shape: readonly number[]) => ({
  name,
  inputs: [{ name: 'x', datatype, shape }],
  outputs: [{ name: 'y', datatype, shape }],
});

beforeAll(async () => {
  backend = await startOipServer({
    models: [echo('bytes', 'UINT8', [-1, -1]), echo('halves', 'FP16', [-1]), echo('texts', 'BYTES', [-1])],
  });
  const remote = (): object => ({
    variants: [grpcVariant('v1', 'stable', backend.address, {}, { maxMessageBytes: 64 * MIB })],
  });
  gateway = await startGateway({
    tenants: TENANTS,
    models: {
      digits: { variants: [onnxVariant('v1', 'stable', 'digits/v1.onnx')] },
      spam: { variants: [onnxVariant('v1', 'stable', 'spam/v1.onnx')] },
      bytes: remote(),
      halves: remote(),
      texts: remote(),
    },
  });
  grpc = new GrpcCaller(gateway.grpcAddress, gateway.keys['alpha']!);
});

afterAll(async () => {
  grpc.close();
  expect(await gateway.stop()).toBe(0);
  await backend.close();
});

interface Answer extends RawAnswer {
  readonly head: {
    readonly id?: string;
    readonly error?: string;
    readonly code?: string;
    readonly outputs: readonly { readonly name: string; readonly shape: readonly number[]; readonly parameters?: object }[];
  };
  /** Bytes of the binary outputs by name. */
  readonly raw: Readonly<Record<string, Buffer>>;
}

async function post(model: string, body: Uint8Array, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const answer = await rawPost(gateway, { path: `/v2/models/${model}/infer`, key: gateway.keys['alpha']!, body, headers });
  return read(answer);
}

/** Takes an answer apart as a client of the extension does. */
function read(answer: RawAnswer): Answer {
  const coding = answer.headers['content-encoding'];
  const plain = coding === 'gzip' ? gunzipSync(answer.body) : coding === 'deflate' ? inflateSync(answer.body) : answer.body;
  const stated = answer.headers['inference-header-content-length'];
  const length = stated === undefined ? plain.length : Number(stated);
  const head = JSON.parse(plain.subarray(0, length).toString()) as Answer['head'];
  const raw: Record<string, Buffer> = {};
  let at = length;
  for (const { name, parameters } of head.outputs ?? []) {
    const size = (parameters as { binary_data_size?: number } | undefined)?.binary_data_size;
    if (size === undefined) continue;
    raw[name] = plain.subarray(at, at + size);
    at += size;
  }
  expect(at).toBe(plain.length);
  return { ...answer, head, raw };
}

const OCTETS = 'application/octet-stream';

/** A JSON head, and what the header fields say about it. */
function withHead(
  head: object,
  ...tail: readonly Uint8Array[]
): { body: Buffer; headers: Record<string, string>; length: number } {
  const json = Buffer.from(JSON.stringify(head));
  const headers = { 'content-type': OCTETS, 'inference-header-content-length': String(json.length) };
  return { body: Buffer.concat([json, ...tail]), headers, length: json.length };
}

const binary = (name: string, datatype: string, shape: readonly number[], size: number): object => ({
  name,
  datatype,
  shape,
  parameters: { binary_data_size: size },
});
const image = (rows: number): object => binary('image', 'FP32', [rows, 28, 28], rows * 3_136);
const ALL_BINARY = { parameters: { binary_data_output: true } };

async function overGrpc(raw: Buffer, rows = 1): Promise<Record<string, Buffer>> {
  return rawOutputs(await grpc.infer('digits', [{ name: 'image', datatype: 'FP32', shape: [rows, 28, 28], raw }]));
}

describe('binary tensors over REST', () => {
  it('give and take the same bits as gRPC with raw contents', async () => {
    const rows = Buffer.concat([first!, second!]);
    const { body, headers } = withHead({ id: 'mine', inputs: [image(2)], ...ALL_BINARY }, rows);
    const answer = await post('digits', body, headers);
    expect(answer.status, answer.head.error).toBe(200);
    expect(answer.headers['content-type']).toBe(OCTETS);
    expect(answer.head).toMatchObject({ id: 'mine', model_name: 'digits', model_version: 'v1' });
    expect(answer.raw).toEqual(await overGrpc(rows, 2));
  });

  it('are given for the outputs that were asked for as binary, and JSON for the others', async () => {
    const outputs = [{ name: 'probabilities', parameters: { binary_data: true } }, { name: 'label' }];
    const { body, headers } = withHead({ inputs: [image(1)], outputs }, first!);
    const answer = await post('digits', body, headers);
    const expected = await overGrpc(first!);
    expect(answer.raw).toEqual({ probabilities: expected['probabilities'] });
    const label = answer.head.outputs.find(({ name }) => name === 'label') as unknown as { data: number[] };
    expect(label.data).toEqual([Number(expected['label']!.readBigInt64LE())]);
  });

  it('are taken and JSON is given where nothing is asked for as binary', async () => {
    const { body, headers } = withHead({ inputs: [image(1)] }, first!);
    const answer = await post('digits', body, headers);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.headers['inference-header-content-length']).toBeUndefined();
    expect(answer.raw).toEqual({});
    expect(answer.head.outputs).toHaveLength(2);
  });

  it('carry what JSON cannot say, both ways', async () => {
    const half = Buffer.from([0, 60, 1, 2]);
    const asked = withHead({ inputs: [binary('x', 'FP16', [2], 4)], ...ALL_BINARY }, half);
    expect((await post('halves', asked.body, asked.headers)).raw).toEqual({ y: half });
    const texts = Buffer.from(joinByteStrings([Uint8Array.of(0xff, 0xfe), Buffer.alloc(0)]));
    const strings = withHead({ inputs: [binary('x', 'BYTES', [2], texts.length)], ...ALL_BINARY }, texts);
    expect((await post('texts', strings.body, strings.headers)).raw).toEqual({ y: texts });
    const before = backend.callCount;
    const inJson = withHead({ inputs: [binary('x', 'FP16', [2], 4)] }, half);
    const refused = await post('halves', inJson.body, inJson.headers);
    expect([refused.status, refused.head.code, backend.callCount]).toEqual([501, 'NOT_SUPPORTED', before]);
    expect(refused.head.error).toContain('ask for it as binary data');
  });

  it('may be the whole body', async () => {
    const answer = await post('digits', first!, { 'content-type': OCTETS, 'inference-header-content-length': '0' });
    expect(answer.status, answer.head.error).toBe(200);
    expect(answer.raw).toEqual(await overGrpc(first!));
    const short = await post('digits', first!.subarray(1), { 'inference-header-content-length': '0' });
    expect([short.status, short.head.code]).toEqual([400, 'BAD_REQUEST']);
    const text = await post('spam', Buffer.from('free money, click here'), { 'inference-header-content-length': '0' });
    expect(Object.keys(text.raw)).toContain('probabilities');
    const unknown = await post('nothing', first!, { 'inference-header-content-length': '0' });
    expect([unknown.status, unknown.head.code]).toEqual([404, 'NOT_FOUND']);
  });

  it('come in the form of SageMaker and go back in it', async () => {
    const { body, length } = withHead({ inputs: [image(1)], ...ALL_BINARY }, first!);
    const type = 'application/vnd.sagemaker-triton.binary+json;json-header-size=';
    const answer = await post('digits', body, { 'content-type': type + length });
    expect(answer.raw).toEqual(await overGrpc(first!));
    expect(answer.headers['content-type']).toBe(type + answer.headers['inference-header-content-length']);
  });

  it('are listed among the extensions', async () => {
    const headers = { authorization: `Bearer ${gateway.keys['alpha']}` };
    const server = (await (await fetch(`${gateway.httpUrl}/v2`, { headers })).json()) as { extensions: string[] };
    expect(server.extensions).toContain('binary_tensor_data');
  });

  it('go to a backend and back in their tens of megabytes', async () => {
    const size = 20 * MIB;
    const data = Buffer.alloc(size);
    for (let i = 0; i < size; i += 4096) data.writeUInt32LE(i, i);
    const { body, headers } = withHead({ inputs: [binary('x', 'UINT8', [1, size], size)], ...ALL_BINARY }, data);
    const answer = await post('bytes', body, headers);
    expect(answer.status, answer.head.error).toBe(200);
    expect(Buffer.compare(answer.raw['y']!, data)).toBe(0);
  });

  it.each([
    ['a size that the body does not have', withHead({ inputs: [image(2)] }, Buffer.alloc(3_136)), 400, 'more bytes'],
    ['bytes that belong to no input', withHead({ inputs: [image(1)] }, Buffer.alloc(3_137)), 400, 'bytes follow the JSON'],
    [
      'a size that is not the one of the shape',
      withHead({ inputs: [binary('image', 'FP32', [1, 28, 28], 4)] }, Buffer.alloc(4)),
      400,
      '3136 bytes',
    ],
    [
      'shared memory',
      withHead({ inputs: [{ name: 'image', datatype: 'FP32', shape: [1, 28, 28], parameters: { shared_memory_region: 'r' } }] }),
      400,
      'shared memory',
    ],
  ])('are refused for %s', async (_, { body, headers }, status, message) => {
    const answer = await post('digits', body, headers);
    expect([answer.status, answer.head.error]).toEqual([status, expect.stringContaining(message)]);
  });
});

describe('packed bodies', () => {
  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ] as const)('of %s are taken, and given where they are asked for', async (coding, pack) => {
    const rows = Buffer.concat(Array.from({ length: 40 }, () => first!));
    const { body, headers } = withHead({ inputs: [image(40)], ...ALL_BINARY }, rows);
    const answer = await post('digits', pack(body), { ...headers, 'content-encoding': coding, 'accept-encoding': coding });
    expect(answer.status, answer.head.error).toBe(200);
    expect(answer.headers['content-encoding']).toBe(coding);
    expect(answer.headers['vary']).toBe('accept-encoding');
    expect(answer.raw).toEqual(await overGrpc(rows, 40));
    const plain = await post('digits', body, headers);
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.raw).toEqual(answer.raw);
  });

  it('of JSON are taken as well', async () => {
    const json = JSON.stringify({ inputs: [{ name: 'x', datatype: 'BYTES', shape: [1], data: ['é'] }] });
    const answer = await post('texts', gzipSync(json), { 'content-encoding': 'gzip' });
    expect(answer.head.outputs).toMatchObject([{ name: 'y', data: ['é'] }]);
  });

  it('that are bombs are refused quickly, hold little memory and give back what they held', async () => {
    const bomb = gzipSync(Buffer.alloc(60 * MIB), { level: 9 });
    const headers = { 'content-encoding': 'gzip', 'inference-header-content-length': '100', 'content-type': OCTETS };
    const alone = await post('digits', bomb, headers);
    expect([alone.status, alone.head.code]).toEqual([413, 'BODY_TOO_LARGE']);
    expect(alone.head.error).toContain('100 times');
    const before = await metric(gateway, 'process_resident_memory_bytes');
    const start = performance.now();
    const answers = await Promise.all(Array.from({ length: 24 }, () => post('digits', bomb, headers)));
    // Together they may also use up the bytes that their tenant may hold.
    for (const { head } of answers) expect(['BODY_TOO_LARGE', 'OVERLOADED']).toContain(head.code);
    // All of them whole would be 1.4 GiB and seconds of work.
    expect(performance.now() - start).toBeLessThan(5_000);
    expect((await metric(gateway, 'process_resident_memory_bytes')) - before).toBeLessThan(300 * MIB);
    expect(await metric(gateway, 'sluice_body_bytes_in_flight')).toBe(0);
  });
});

describe('long JSON', () => {
  it('is refused before it is read, with the way that large tensors take', async () => {
    const body = Buffer.alloc(2 * MIB + 1, 0x20);
    for (const headers of [{}, { 'inference-header-content-length': String(2 * MIB + 1) }]) {
      const answer = await post('digits', body, headers);
      expect([answer.status, answer.head.code]).toEqual([413, 'BODY_TOO_LARGE']);
      expect(answer.head.error).toContain('send large tensors as binary data');
    }
    const packed = await post('digits', gzipSync(Buffer.concat([body, Buffer.from('{}')])), { 'content-encoding': 'gzip' });
    expect(packed.status).toBe(413);
  });
});
