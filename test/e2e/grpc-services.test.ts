import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GrpcCaller } from '../support/clients.ts';
import { grpcVariant, key, onnxVariant, TENANTS } from '../support/configs.ts';
import { eventually, type GatewayUnderTest, startGateway } from '../support/gateway-under-test.ts';
import { InferStream } from '../support/infer-stream.ts';
import { answerAfter, answerOutputs, startOipServer } from '../support/oip-server.ts';
import { StreamCaller } from '../support/stream-caller.ts';

const PROTO = fileURLToPath(new URL('../../proto/', import.meta.url));
const root = new protobuf.Root().loadSync(
  ['grpc/health/v1/health.proto', 'grpc/reflection/v1/reflection.proto'].map((file) => PROTO + file),
  { keepCase: true },
);
const MODELS = {
  digits: { variants: [onnxVariant('v1', 'stable', 'digits/v1.onnx'), onnxVariant('v2', 'canary', 'digits/v2.onnx')] },
};
const WATCH = '/grpc.health.v1.Health/Watch';
const REFLECTION = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';

const encode = (type: string, plain: object): Uint8Array => {
  const message = root.lookupType(type);
  return message.encode(message.fromObject(plain)).finish();
};
const decode = (type: string, bytes: Uint8Array): Record<string, unknown> => {
  const message = root.lookupType(type);
  return message.toObject(message.decode(bytes), { enums: String, defaults: true });
};
const statusIn = (bytes: Uint8Array): unknown => decode('grpc.health.v1.HealthCheckResponse', bytes)['status'];

/** One unary call with bytes both ways and no credential. */
function unary(caller: StreamCaller, path: string, message: Uint8Array): Promise<{ code: number; bytes: Buffer }> {
  const asIs = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve) => {
    caller.client.makeUnaryRequest(path, asIs, asIs, Buffer.from(message), (error, bytes?: Buffer) =>
      resolve({ code: error?.code ?? 0, bytes: bytes ?? Buffer.alloc(0) }),
    );
  });
}

let gateway: GatewayUnderTest;
let grpc: GrpcCaller;
let caller: StreamCaller;

beforeAll(async () => {
  gateway = await startGateway({
    tenants: [
      ...TENANTS,
      { id: 'other', rate: { requestsPerSecond: 100, burst: 100 }, keys: [key('other001', { models: ['spam'] })] },
    ],
    models: { ...MODELS, spam: { variants: [onnxVariant('v1', 'stable', 'spam/v1.onnx')] } },
    listen: { grpc: { reflection: true } },
  });
  grpc = new GrpcCaller(gateway.grpcAddress, gateway.keys['alpha']!);
  caller = new StreamCaller(gateway.grpcAddress);
});

afterAll(async () => {
  grpc.close();
  caller.close();
  await gateway.stop();
});

describe("Triton's extensions", () => {
  it('tell the configuration of a model', async () => {
    const { code, message } = await grpc.call('ModelConfig', { name: 'digits' });
    expect(code).toBe(0);
    expect(message['config']).toMatchObject({
      name: 'digits',
      input: [{ name: 'image', data_type: 11, dims: [28, 28] }],
      output: [
        { name: 'probabilities', data_type: 11, dims: [10] },
        { name: 'label', data_type: 9, dims: [] },
      ],
    });
  });

  it('count what was asked', async () => {
    const raw = Buffer.alloc(2 * 28 * 28 * 4);
    const inputs = [{ name: 'image', datatype: 'FP32', shape: [2, 28, 28], raw }];
    for (let i = 0; i < 3; i++) expect((await grpc.infer('digits', inputs, { model_version: 'v1' })).code).toBe(0);
    const { message } = await grpc.call('ModelStatistics', { name: 'digits', version: 'v1' });
    const [stats, ...rest] = message['model_stats'] as Record<string, Record<string, Record<string, number>>>[];
    expect(rest).toEqual([]);
    expect(stats).toMatchObject({ name: 'digits', version: 'v1', inference_count: 6, execution_count: 3 });
    expect(stats!['inference_stats']!['success']!['count']).toBe(3);
    expect(stats!['inference_stats']!['success']!['ns']).toBeGreaterThan(1_000);
    expect(Math.abs(Number(stats!['last_inference']) - Date.now())).toBeLessThan(60_000);
    const all = await grpc.call('ModelStatistics', {});
    const listed = all.message['model_stats'] as { name: string; version: string }[];
    expect(listed.map(({ name, version }) => `${name} ${version}`)).toEqual(['digits v1', 'digits v2', 'spam v1']);
  });

  it('list what a caller may use, and nothing else', async () => {
    const { message } = await grpc.call('RepositoryIndex', { ready: true });
    expect(message['models']).toMatchObject([
      { name: 'digits', version: 'v1', state: 'READY' },
      { name: 'digits', version: 'v2', state: 'READY' },
      { name: 'spam', version: 'v1', state: 'READY' },
    ]);
    const other = new GrpcCaller(gateway.grpcAddress, gateway.keys['other']!);
    expect((await other.call('RepositoryIndex', {})).message['models']).toMatchObject([{ name: 'spam' }]);
    expect((await other.call('ModelStatistics', { name: 'digits' })).code).toBe(5);
    expect((await other.call('ModelConfig', { name: 'digits' })).code).toBe(5);
    other.close();
  });

  it('refuse by name what operators alone may do', async () => {
    for (const method of [
      'RepositoryModelLoad',
      'SystemSharedMemoryRegister',
      'CudaSharedMemoryStatus',
      'TraceSetting',
      'LogSettings',
    ]) {
      const { code } = await unary(caller, `/inference.GRPCInferenceService/${method}`, Buffer.alloc(0));
      expect(code).toBe(16);
    }
    const call = caller.open('/inference.GRPCInferenceService/RepositoryModelLoad', {
      authorization: `Bearer ${gateway.keys['alpha']}`,
    });
    const end = await call.status;
    expect(end.code).toBe(12);
    expect(end.details).toContain('RepositoryModelLoad: models are loaded and unloaded by operators');
  });
});

describe('grpc.health.v1', () => {
  it('answers to anyone, and names no model', async () => {
    for (const [service, expected] of [
      ['', 'SERVING'],
      ['inference.GRPCInferenceService', 'SERVING'],
    ]) {
      const { code, bytes } = await unary(
        caller,
        '/grpc.health.v1.Health/Check',
        encode('grpc.health.v1.HealthCheckRequest', { service }),
      );
      expect([code, statusIn(bytes)]).toEqual([0, expected]);
    }
    const unknown = await unary(
      caller,
      '/grpc.health.v1.Health/Check',
      encode('grpc.health.v1.HealthCheckRequest', { service: 'digits' }),
    );
    expect(unknown.code).toBe(5);
  });
});

describe('server reflection', () => {
  it('shows the services to callers with a key', async () => {
    const call = caller.open(REFLECTION, { authorization: `Bearer ${gateway.keys['alpha']}` });
    call.write(encode('grpc.reflection.v1.ServerReflectionRequest', { list_services: '*' }));
    call.write(
      encode('grpc.reflection.v1.ServerReflectionRequest', { file_containing_symbol: 'inference.GRPCInferenceService' }),
    );
    call.write(encode('grpc.reflection.v1.ServerReflectionRequest', { file_by_filename: 'nothing.proto' }));
    await call.messages(3);
    call.end();
    expect((await call.status).code).toBe(0);
    const answers = call.received.map((bytes) => decode('grpc.reflection.v1.ServerReflectionResponse', bytes));
    expect(JSON.stringify(answers[0])).toContain('inference.GRPCInferenceService');
    expect(answers[1]).toHaveProperty('file_descriptor_response');
    expect(answers[2]).toMatchObject({ error_response: { error_code: 5 } });
    expect((await caller.open(REFLECTION).status).code).toBe(16);
  });

  it('is not there unless config turns it on', async () => {
    const plain = await startGateway({ tenants: TENANTS, models: MODELS });
    const other = new StreamCaller(plain.grpcAddress);
    for (const path of [REFLECTION, REFLECTION.replace('v1', 'v1alpha')]) {
      expect((await other.open(path, { authorization: `Bearer ${plain.keys['alpha']}` }).status).code).toBe(12);
    }
    other.close();
    await plain.stop();
  });
});

describe('SIGTERM', () => {
  it('is told to those who watch, and streams get the answers of what they asked', async () => {
    const server = await startOipServer({
      models: [
        {
          name: 'm',
          inputs: [{ name: 'x', datatype: 'FP32', shape: [-1] }],
          outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
        },
      ],
      onInfer: () => answerAfter(300, answerOutputs([{ name: 'y', datatype: 'FP32', shape: [1], data: Buffer.alloc(4) }])),
    });
    const stopping = await startGateway({
      tenants: TENANTS,
      models: { m: { variants: [grpcVariant('v1', 'stable', server.address)] } },
    });
    const other = new StreamCaller(stopping.grpcAddress);
    const watch = other.open(WATCH);
    watch.write(encode('grpc.health.v1.HealthCheckRequest', { service: '' }));
    watch.end();
    await watch.messages(1);
    const stream = new InferStream(other, stopping.keys['alpha']!);
    for (let i = 0; i < 10; i++) {
      stream.send({
        model_name: 'm',
        id: `t-${i}`,
        inputs: [{ name: 'x', datatype: 'FP32', shape: [1] }],
        raw_input_contents: [Buffer.alloc(4)],
      });
    }
    await eventually('all at the backend', () => server.callCount === 10);
    const ended = stopping.stop();
    await watch.messages(2);
    expect(watch.received.map(statusIn)).toEqual(['SERVING', 'NOT_SERVING']);
    const end = await stream.call.status;
    expect(stream.answers.map(({ error }) => error)).toEqual(new Array(10).fill(''));
    expect(end.code).toBe(14);
    expect(await ended).toBe(0);
    other.close();
    await server.close();
  });
});
