import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GrpcCaller } from '../support/clients.ts';
import { grpcVariant, key, onnxVariant, TENANTS } from '../support/configs.ts';
import { eventually, type GatewayUnderTest, metric, startGateway } from '../support/gateway-under-test.ts';
import { InferStream } from '../support/infer-stream.ts';
import { answerEcho, answerNever, type OipAnswer, type OipCall, type OipServer, startOipServer } from '../support/oip-server.ts';
import { StreamCaller } from '../support/stream-caller.ts';

const MODEL = {
  name: 'm',
  inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [-1, 2] }],
};

/** What the backend does with the next calls. */
let onInfer: (call: OipCall) => OipAnswer = (call) => answerEcho(call, MODEL);
let server: OipServer;
let gateway: GatewayUnderTest;
let streams: StreamCaller;
let alpha: string;

beforeAll(async () => {
  server = await startOipServer({ models: [MODEL], onInfer: (call) => onInfer(call) });
  gateway = await startGateway({
    tenants: [
      ...TENANTS,
      { id: 'slow', rate: { requestsPerSecond: 1, burst: 5 }, keys: [key('slow0001')] },
      { id: 'narrow', rate: { requestsPerSecond: 1_000, burst: 1_000 }, keys: [key('narrow01', { models: ['digits'] })] },
    ],
    models: {
      m: { timeoutMs: 5_000, variants: [grpcVariant('v1', 'stable', server.address)] },
      digits: { variants: [onnxVariant('v1', 'stable', 'digits/v1.onnx')] },
    },
    listen: { grpc: { maxStreamInFlight: 32 } },
  });
  alpha = gateway.keys['alpha']!;
  streams = new StreamCaller(gateway.grpcAddress);
});

afterAll(async () => {
  streams.close();
  await gateway.stop();
  await server.close();
});

const floats = (...values: number[]): Buffer => Buffer.from(Float32Array.from(values).buffer);
const ask = (id: string, more: object = {}): Record<string, unknown> => ({
  model_name: 'm',
  id,
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2] }],
  raw_input_contents: [floats(id.length, Math.PI)],
  ...more,
});

/** Requests of every kind, good and bad, each with an id of its own. */
function mixed(count: number): Record<string, unknown>[] {
  const image = Buffer.alloc(28 * 28 * 4);
  const kinds: ((id: string, i: number) => Record<string, unknown>)[] = [
    (id, i) => ask(id, { raw_input_contents: [floats(i, -i)] }),
    (id, i) => ask(id, { raw_input_contents: [], inputs: [typed(i)] }),
    (id) => ask(id, { model_name: 'nothing' }),
    (id) => ask(id, { model_version: 'v9' }),
    (id) => ask(id, { model_version: 'v1' }),
    (id) => ask(id, { raw_input_contents: [floats(1, 2, 3)] }),
    (id) => ask(id, { inputs: [{ name: 'wrong', datatype: 'FP32', shape: [1, 2] }] }),
    (id) => ask(id, { parameters: { timeout: { string_param: 'soon' } } }),
    (id, i) => {
      image.writeFloatLE((i % 10) / 10, (i * 4) % image.length);
      const inputs = [{ name: 'image', datatype: 'FP32', shape: [1, 28, 28] }];
      return { model_name: 'digits', id, inputs, raw_input_contents: [Buffer.from(image)] };
    },
    (id) => ask(id, { outputs: [{ name: 'y' }] }),
  ];
  return Array.from({ length: count }, (_, i) => kinds[i % kinds.length]!(`r-${i}`, i));
}

const typed = (i: number): object => ({ name: 'x', datatype: 'FP32', shape: [1, 2], contents: { fp32_contents: [i, 0.1] } });

describe('a stream of requests', () => {
  it('gets for each message what a unary call gets for it, bit for bit', async () => {
    const requests = mixed(200);
    const stream = new InferStream(streams, alpha);
    for (const request of requests) stream.send(request);
    const answers = await stream.answersById(200);
    stream.end();
    expect((await stream.call.status).code).toBe(0);
    expect(answers.size).toBe(200);
    const unary = new GrpcCaller(gateway.grpcAddress, alpha);
    let refused = 0;
    for (const request of requests) {
      const { error, response, parameters } = answers.get(request['id'] as string)!;
      const expected = await unary.call('ModelInfer', request);
      expect(error).toBe(expected.details);
      if (expected.code !== 0) {
        refused++;
        expect(parameters['x-sluice-fault']).toBe(expected.metadata.get('x-sluice-fault')[0]);
        continue;
      }
      const { parameters: _fields, ...streamed } = response;
      const { parameters: _none, ...answered } = expected.message;
      expect(streamed).toEqual(answered);
      expect(parameters['x-sluice-variant']).toBe('v1');
      expect(parameters['x-sluice-cost-nano-usd']).toBe('0');
    }
    expect(refused).toBe(100);
    unary.close();
  });

  it('is counted and limited message by message', async () => {
    const before = await metric(gateway, 'sluice_requests_total', { codec: 'grpc_stream_infer' });
    const stream = new InferStream(streams, gateway.keys['slow']!);
    for (let i = 0; i < 12; i++) stream.send(ask(`s-${i}`));
    const answers = await stream.answersById(12);
    const faults = [...answers.values()].map(({ parameters }) => parameters['x-sluice-fault'] ?? '');
    expect(faults.filter((fault) => fault === '').length).toBeGreaterThanOrEqual(5);
    expect(faults.filter((fault) => fault === 'RATE_LIMITED').length).toBeGreaterThanOrEqual(5);
    const limited = [...answers.values()].find(({ parameters }) => parameters['x-sluice-fault'] === 'RATE_LIMITED')!;
    expect(limited.id).toMatch(/^s-\d+$/);
    expect(Number(limited.parameters['retry-after'])).toBeGreaterThanOrEqual(1);
    stream.end();
    expect((await stream.call.status).code).toBe(0);
    const after = await metric(gateway, 'sluice_requests_total', { codec: 'grpc_stream_infer' });
    expect(after - before).toBe(12);
  });

  it('asks for each message whether its caller may use the model, and tells forbidden and unknown apart for nobody', async () => {
    const stream = new InferStream(streams, gateway.keys['narrow']!);
    stream.send(ask('forbidden'));
    stream.send(ask('unknown', { model_name: 'nothing' }));
    stream.send(mixed(9)[8]!);
    const answers = await stream.answersById(3);
    expect(answers.get('forbidden')!.error).toBe(answers.get('unknown')!.error);
    expect(answers.get('r-8')!.error).toBe('');
    stream.end();
    await stream.call.status;
  });

  it('goes on after the client has said all, until the last answer', async () => {
    const stream = new InferStream(streams, alpha);
    for (let i = 0; i < 100; i++) stream.send(ask(`h-${i}`));
    stream.end();
    expect((await stream.call.status).code).toBe(0);
    expect(stream.answers.map(({ error }) => error)).toEqual(new Array(100).fill(''));
  });

  it('marks its only answer as the last for those who ask', async () => {
    const stream = new InferStream(streams, alpha);
    stream.send(ask('marked', { parameters: { triton_enable_empty_final_response: { bool_param: true } } }));
    stream.send(ask('plain'));
    const answers = await stream.answersById(2);
    expect(answers.get('marked')!.parameters['triton_final_response']).toBe(true);
    expect(answers.get('plain')!.parameters).not.toHaveProperty('triton_final_response');
    stream.end();
    await stream.call.status;
  });
});

describe('the head of a stream', () => {
  it('is refused without a credential that is known, before a message is read', async () => {
    for (const [credential, fault] of [
      ['sl_live_nobody00_x', 'KEY_UNKNOWN'],
      ['', 'KEY_MISSING'],
    ]) {
      const stream = new InferStream(streams, credential!);
      const end = await stream.call.status;
      expect(end.code).toBe(16);
      expect(end.metadata.get('x-sluice-fault')).toEqual([fault]);
    }
  });

  it('asks for real statuses with triton_grpc_error, and the first one ends the stream', async () => {
    const stream = new InferStream(streams, alpha, { triton_grpc_error: 'true' });
    stream.send(ask('good'));
    await stream.call.messages(1);
    stream.send(ask('bad', { model_name: 'nothing' }));
    const end = await stream.call.status;
    expect(end.code).toBe(5);
    expect(end.metadata.get('x-sluice-fault')).toEqual(['NOT_FOUND']);
    expect(stream.answers.map(({ id }) => id)).toEqual(['good']);
  });

  it('lets nothing through to the backend but trace and request id', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const fields = { 'x-secret': 's', traceparent, 'x-request-id': 'stream-1', cookie: 'c' };
    const stream = new InferStream(streams, alpha, fields);
    const before = server.callCount;
    stream.send(ask('one'));
    stream.send(ask('two'));
    await stream.call.messages(2);
    const seen = server.calls.slice(-2).map(({ metadata }) => metadata);
    expect(server.callCount).toBe(before + 2);
    for (const metadata of seen) {
      expect(Object.keys(metadata).sort()).toEqual(['traceparent', 'user-agent', 'x-request-id']);
      expect(metadata['traceparent']).toContain('0af7651916cd43dd8448eb211c80319c');
    }
    expect(seen.map((metadata) => metadata['x-request-id']).sort()).toEqual(['stream-1.1', 'stream-1.2']);
    stream.end();
    await stream.call.status;
  });
});

describe('a stream that is given up', () => {
  it('takes every call to the backend along', async () => {
    onInfer = () => answerNever;
    const [calls, cancels] = [server.callCount, server.cancels.length];
    const stream = new InferStream(streams, alpha);
    for (let i = 0; i < 20; i++) stream.send(ask(`c-${i}`));
    await server.called(calls + 20);
    stream.call.call.cancel();
    await server.cancelled(cancels + 20);
    await eventually('nothing in flight', async () => (await metric(gateway, 'sluice_requests_in_flight')) === 0);
  });

  it('ends at its deadline, which the backend knows of', async () => {
    onInfer = () => answerNever;
    const [calls, cancels] = [server.callCount, server.cancels.length];
    const stream = new InferStream(streams, alpha, {}, 600);
    stream.send(ask('late'));
    await server.called(calls + 1);
    expect(server.calls.at(-1)!.grantedMs).toBeLessThanOrEqual(600);
    expect((await stream.call.status).code).toBe(4);
    await server.cancelled(cancels + 1);
    onInfer = (call) => answerEcho(call, MODEL);
  });
});
