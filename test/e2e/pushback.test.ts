import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GrpcCaller, inferRest } from '../support/clients.ts';
import { grpcVariant, TENANTS } from '../support/configs.ts';
import { type GatewayUnderTest, startGateway } from '../support/gateway-under-test.ts';
import { type OipHttpServer, startOipHttpServer } from '../support/oip-http-server.ts';
import { answerStatus, type OipServer, startOipServer } from '../support/oip-server.ts';
import { answer } from '../support/scripted-http-server.ts';

/** What backends ask their callers to wait reaches the callers, from either kind of server over either face. */

const MODEL = {
  name: 'm',
  inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [-1, 2] }],
};
const EXHAUSTED = 8;
const UNAVAILABLE = 14;

let overGrpc: OipServer;
let down: OipServer;
let overHttp: OipHttpServer;
let gateway: GatewayUnderTest;
let grpc: GrpcCaller;

beforeAll(async () => {
  overGrpc = await startOipServer({
    models: [MODEL],
    onInfer: () => answerStatus(EXHAUSTED, 'full', { 'grpc-retry-pushback-ms': '41500' }),
  });
  down = await startOipServer({
    models: [MODEL],
    onInfer: () => answerStatus(UNAVAILABLE, 'no more', { 'grpc-retry-pushback-ms': '-1' }),
  });
  overHttp = await startOipHttpServer({
    models: [MODEL, { ...MODEL, name: 'down' }],
    onInfer: (_call, { name }) => answer(name === 'down' ? 503 : 429, '', { 'retry-after': '42' }),
  });
  const variant = (model: string) => ({
    name: 'v1',
    role: 'stable',
    backend: { kind: 'http', endpoints: [overHttp.url], model },
  });
  gateway = await startGateway({
    tenants: TENANTS,
    models: {
      'grpc-busy': { variants: [grpcVariant('v1', 'stable', overGrpc.address, {}, { model: 'm' })] },
      'http-busy': { variants: [variant('m')] },
      'http-down': { variants: [variant('down')] },
      final: {
        variants: [
          grpcVariant('v1', 'stable', overGrpc.address, {}, { model: 'm' }),
          grpcVariant('v2', 'canary', down.address, { weight: 100 }, { model: 'm' }),
        ],
      },
    },
  });
  grpc = new GrpcCaller(gateway.grpcAddress, gateway.keys['alpha']!);
});

afterAll(async () => {
  grpc.close();
  expect(await gateway.stop()).toBe(0);
  await Promise.all([overGrpc.close(), down.close(), overHttp.close()]);
});

const ROWS = [
  ['grpc-busy', 429, EXHAUSTED, 'BACKEND_BUSY'],
  ['http-busy', 429, EXHAUSTED, 'BACKEND_BUSY'],
  ['http-down', 503, UNAVAILABLE, 'BACKEND_UNREACHABLE'],
] as const;

describe('a backend that asks to wait', () => {
  it.each(ROWS)('is heard by callers over REST: %s', async (model, status, _grpc, code) => {
    const x = { name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] };
    const found = await inferRest(gateway, { key: gateway.keys['alpha']!, model, inputs: [x] });
    expect([found.status, found.body['code'], found.headers.get('retry-after')]).toEqual([status, code, '42']);
  });

  it.each(ROWS)('is heard by callers over gRPC: %s', async (model, _http, status, code) => {
    const found = await grpc.infer(model, [{ name: 'x', datatype: 'FP32', shape: [1, 2], raw: Buffer.alloc(8) }]);
    expect([found.code, found.metadata.get('x-sluice-fault')[0], found.metadata.get('retry-after')[0]]).toEqual([
      status,
      code,
      '42',
    ]);
  });

  it('gets no second try when it asks for none', async () => {
    const before = overGrpc.callCount;
    const found = await grpc.infer('final', [{ name: 'x', datatype: 'FP32', shape: [1, 2], raw: Buffer.alloc(8) }]);
    expect([found.code, found.metadata.get('x-sluice-fault')[0]]).toEqual([UNAVAILABLE, 'BACKEND_UNREACHABLE']);
    expect(overGrpc.callCount).toBe(before);
  });
});
