import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GrpcCaller, inferRest, type RestAnswer, rawOutputs } from '../support/clients.ts';
import { TENANTS } from '../support/configs.ts';
import { type GatewayUnderTest, metric, startGateway } from '../support/gateway-under-test.ts';
import { sileroVad, type ThirdPartyModel, textDetection, textDirection } from '../support/third-party-models.ts';

const FRAMES = 10;
const SAMPLES = 512;
const STATE_SIZE = 128;
const SAMPLE_RATE = 16_000;
const LINE = [3, 48, 192];
const LINE_SIZE = 3 * 48 * 192;

let gateway: GatewayUnderTest;
let grpc: GrpcCaller;
let vad: InferenceSession;
let direction: InferenceSession;

const served = ({ path, sha256 }: ThirdPartyModel, batching: object | null = null): object => ({
  variants: [{ name: 'v1', role: 'stable', backend: { kind: 'onnx', path, sha256, batching } }],
});

const opened = ({ path }: ThirdPartyModel): Promise<InferenceSession> => InferenceSession.create(path, { intraOpNumThreads: 1 });

beforeAll(async () => {
  [vad, direction] = await Promise.all([opened(sileroVad()), opened(textDirection())]);
  gateway = await startGateway({
    tenants: TENANTS,
    models: {
      vad: served(sileroVad()),
      direction: served(textDirection()),
      'direction-batched': served(textDirection(), { maxRows: 8, maxDelayUs: 20_000 }),
      detection: served(textDetection()),
    },
  });
  grpc = new GrpcCaller(gateway.grpcAddress, gateway.keys['alpha']!);
});

afterAll(async () => {
  grpc.close();
  expect(await gateway.stop()).toBe(0);
});

/** Numbers between -1 and 1 that look random and are the same each time. */
const noise = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin((i + 1) * 12.9898 + seed * 78.233));

const bytesOf = (values: Float32Array | BigInt64Array): Buffer =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength);

const floatsOf = (bytes: Buffer): Float32Array => new Float32Array(new Uint8Array(bytes).buffer);

/** What the runtime itself says, as raw bytes by output. */
async function direct(session: InferenceSession, feeds: Record<string, Tensor>): Promise<Record<string, Buffer>> {
  const answer = await session.run(feeds);
  return Object.fromEntries(Object.entries(answer).map(([name, tensor]) => [name, bytesOf(tensor.data as Float32Array)]));
}

interface Step {
  readonly input: Float32Array;
  readonly state: Float32Array;
  readonly rows: number;
}

const directVad = ({ input, state, rows }: Step): Promise<Record<string, Buffer>> =>
  direct(vad, {
    input: new Tensor('float32', input, [rows, SAMPLES]),
    state: new Tensor('float32', state, [2, rows, STATE_SIZE]),
    sr: new Tensor('int64', BigInt64Array.of(BigInt(SAMPLE_RATE)), []),
  });

async function vadByGrpc({ input, state, rows }: Step): Promise<Record<string, Buffer>> {
  const answer = await grpc.infer('vad', [
    { name: 'input', datatype: 'FP32', shape: [rows, SAMPLES], raw: bytesOf(input) },
    { name: 'state', datatype: 'FP32', shape: [2, rows, STATE_SIZE], raw: bytesOf(state) },
    { name: 'sr', datatype: 'INT64', shape: [], raw: bytesOf(BigInt64Array.of(BigInt(SAMPLE_RATE))) },
  ]);
  expect(answer.code, answer.details).toBe(0);
  return rawOutputs(answer);
}

/** FP32 outputs of a REST answer as raw bytes by name. */
function restOutputs(answer: RestAnswer): Record<string, Buffer> {
  expect(answer.status, JSON.stringify(answer.body).slice(0, 300)).toBe(200);
  const outputs = answer.body['outputs'] as { name: string; data: number[] }[];
  return Object.fromEntries(outputs.map(({ name, data }) => [name, bytesOf(Float32Array.from(data))]));
}

async function vadByRest({ input, state, rows }: Step): Promise<Record<string, Buffer>> {
  const inputs = [
    { name: 'input', datatype: 'FP32', shape: [rows, SAMPLES], data: [...input] },
    { name: 'state', datatype: 'FP32', shape: [2, rows, STATE_SIZE], data: [...state] },
    { name: 'sr', datatype: 'INT64', shape: [], data: [SAMPLE_RATE] },
  ];
  return restOutputs(await inferRest(gateway, { key: gateway.keys['alpha']!, model: 'vad', inputs }));
}

describe('Silero VAD v5, which carries state and is not batchable', () => {
  it.each([
    ['gRPC with raw contents', vadByGrpc],
    ['REST with JSON', vadByRest],
  ])('equals the runtime bit for bit over ten frames by %s', async (_, ask) => {
    let state = new Float32Array(2 * STATE_SIZE);
    const heard: number[] = [];
    for (let frame = 0; frame < FRAMES; frame++) {
      const step: Step = { input: noise(SAMPLES, frame), state, rows: 1 };
      const answer = await ask(step);
      expect(answer).toEqual(await directVad(step));
      heard.push(answer['output']!.readFloatLE(0));
      state = new Float32Array(floatsOf(answer['stateN']!));
    }
    // The state matters: the same frames without it would give other numbers.
    const forgetful = await ask({ input: noise(SAMPLES, FRAMES - 1), state: new Float32Array(2 * STATE_SIZE), rows: 1 });
    expect(forgetful['output']!.readFloatLE(0)).not.toBe(heard[FRAMES - 1]);
  });

  it('takes several streams at once, with their number in dimension 1 of the state', async () => {
    const step: Step = { input: noise(3 * SAMPLES, 1), state: noise(2 * 3 * STATE_SIZE, 2), rows: 3 };
    const expected = await directVad(step);
    expect(await vadByGrpc(step)).toEqual(expected);
    expect(await vadByRest(step)).toEqual(expected);
  });

  it('states its scalar and its mixed datatypes', async () => {
    const headers = { authorization: `Bearer ${gateway.keys['alpha']}` };
    const metadata = await (await fetch(`${gateway.httpUrl}/v2/models/vad`, { headers })).json();
    expect(metadata).toMatchObject({
      inputs: [
        { name: 'input', datatype: 'FP32', shape: [-1, -1] },
        { name: 'state', datatype: 'FP32', shape: [2, -1, STATE_SIZE] },
        { name: 'sr', datatype: 'INT64', shape: [] },
      ],
      outputs: [
        { name: 'output', datatype: 'FP32', shape: [-1, 1] },
        { name: 'stateN', datatype: 'FP32', shape: [-1, -1, -1] },
      ],
    });
  });

  it('is refused a scalar that is a vector of one', async () => {
    const answer = await grpc.infer('vad', [
      { name: 'input', datatype: 'FP32', shape: [1, SAMPLES], raw: Buffer.alloc(4 * SAMPLES) },
      { name: 'state', datatype: 'FP32', shape: [2, 1, STATE_SIZE], raw: Buffer.alloc(8 * STATE_SIZE) },
      { name: 'sr', datatype: 'INT64', shape: [1], raw: Buffer.alloc(8) },
    ]);
    expect([answer.code, answer.details]).toEqual([3, expect.stringContaining('input "sr": shape is [1], expected []')]);
  });

  it('does not load with batching, and the message names the tensor in the way', async () => {
    const models = { vad: served(sileroVad(), { maxRows: 8, maxDelayUs: 0 }) };
    await expect(startGateway({ tenants: TENANTS, models })).rejects.toThrow(
      /"batching" is set, but input "state" has the shape \[2,-1,128\], whose dimension 0 is fixed/,
    );
  });
});

const lines = (count: number, seed: number): Float32Array => noise(count * LINE_SIZE, seed);

const directDirection = (x: Float32Array): Promise<Record<string, Buffer>> =>
  direct(direction, { x: new Tensor('float32', x, [x.length / LINE_SIZE, ...LINE]) });

async function directionByGrpc(x: Float32Array, model = 'direction'): Promise<Record<string, Buffer>> {
  const shape = [x.length / LINE_SIZE, ...LINE];
  const answer = await grpc.infer(model, [{ name: 'x', datatype: 'FP32', shape, raw: bytesOf(x) }]);
  expect(answer.code, answer.details).toBe(0);
  return rawOutputs(answer);
}

describe('the direction classifier of PP-OCR', () => {
  it('equals the runtime bit for bit over gRPC and REST, one line or three', async () => {
    for (const count of [1, 3]) {
      const x = lines(count, count);
      const expected = await directDirection(x);
      expect(expected['softmax_0.tmp_0']!.length).toBe(count * 8);
      expect(await directionByGrpc(x)).toEqual(expected);
      const inputs = [{ name: 'x', datatype: 'FP32', shape: [count, ...LINE], data: [...x] }];
      const answer = await inferRest(gateway, { key: gateway.keys['alpha']!, model: 'direction', inputs });
      expect(restOutputs(answer)).toEqual(expected);
    }
  });

  it('gives each caller its own line when lines of several callers share a run', async () => {
    const callers = [0, 1, 2, 3].map((seed) => lines(1, seed));
    const answers = await Promise.all(callers.map((x) => directionByGrpc(x, 'direction-batched')));
    for (const [i, answer] of answers.entries()) {
      const expected = floatsOf((await directDirection(callers[i]!))['softmax_0.tmp_0']!);
      const found = floatsOf(answer['softmax_0.tmp_0']!);
      // Kernels sum in another order for another number of rows.
      for (const [j, value] of found.entries()) expect(value).toBeCloseTo(expected[j]!, 5);
    }
    expect(await metric(gateway, 'sluice_batch_rows_count', { model: 'direction-batched' })).toBeLessThan(4);
  });
});

describe('the text detector of PP-OCR', () => {
  it('takes pictures of any size and gives a map of the same', async () => {
    const session = await opened(textDetection());
    const shape = [1, 3, 64, 96];
    const x = noise(3 * 64 * 96, 5);
    const expected = await direct(session, { x: new Tensor('float32', x, shape) });
    const answer = await grpc.infer('detection', [{ name: 'x', datatype: 'FP32', shape, raw: bytesOf(x) }]);
    expect(answer.code, answer.details).toBe(0);
    expect(rawOutputs(answer)).toEqual(expected);
    expect(expected['sigmoid_0.tmp_0']!.length).toBe(4 * 64 * 96);
  });
});
