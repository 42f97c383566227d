import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GrpcCaller, inferRest, rawOutputs } from '../support/clients.ts';
import { grpcVariant, TENANTS } from '../support/configs.ts';
import { admin, type GatewayUnderTest, startGateway } from '../support/gateway-under-test.ts';
import { answerOutputs, type OipServer, startOipServer } from '../support/oip-server.ts';

/** An answer of bytes that are no UTF-8: right over gRPC and as binary data, and without words in JSON. */

const NO_TEXT = Buffer.from([2, 0, 0, 0, 0xff, 0xd8]);
const specs = [{ name: 'x', datatype: 'BYTES' as const, shape: [-1] }];
const X = { name: 'x', datatype: 'BYTES', shape: [1], data: ['a'] };

let server: OipServer;
let gateway: GatewayUnderTest;

beforeAll(async () => {
  server = await startOipServer({
    models: [{ name: 'm', inputs: specs, outputs: specs }],
    onInfer: () => answerOutputs([{ name: 'x', datatype: 'BYTES', shape: [1], data: NO_TEXT }]),
  });
  const price = { price: { version: 'p', perRequestUsd: 0.000001 } };
  gateway = await startGateway({
    tenants: TENANTS,
    models: { m: { variants: [grpcVariant('v1', 'stable', server.address, price)] } },
  });
});

afterAll(async () => {
  expect(await gateway.stop()).toBe(0);
  await server.close();
});

const costs = async (): Promise<number> => {
  const { usage } = await admin<{ usage: { cost: string }[] }>(gateway, 'GET', 'usage?tenant=alpha');
  return usage.reduce((sum, total) => sum + Number(total.cost), 0);
};

describe('an answer that JSON cannot say', () => {
  it('is refused with what to do instead, and costs nothing', async () => {
    const key = gateway.keys['alpha']!;
    const infer = await inferRest(gateway, { key, model: 'm', inputs: [X] });
    expect([infer.status, infer.body['code']]).toEqual([501, 'NOT_SUPPORTED']);
    expect(infer.body['error']).toContain('parameters.binary_data');
    const generate = await fetch(`${gateway.httpUrl}/v2/models/m/generate`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: '{"x":"a"}',
    });
    expect(generate.status).toBe(501);
    expect([server.callCount, await costs()]).toEqual([2, 0]);
  });

  it('is answered and billed where it can be said', async () => {
    const grpc = new GrpcCaller(gateway.grpcAddress, gateway.keys['alpha']!);
    const raw = Buffer.from([1, 0, 0, 0, 0x61]);
    const found = await grpc.infer('m', [{ name: 'x', datatype: 'BYTES', shape: [1], raw }]);
    grpc.close();
    expect(rawOutputs(found)['x']).toEqual(NO_TEXT);
    expect(await costs()).toBe(1_000);
  });
});
