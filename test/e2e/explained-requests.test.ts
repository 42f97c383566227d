import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestStory } from '../../src/core/request-story.ts';
import { GrpcCaller, inferRest } from '../support/clients.ts';
import { grpcVariant, onnxVariant, TENANTS } from '../support/configs.ts';
import { admin, type GatewayUnderTest, runCli, startGateway } from '../support/gateway-under-test.ts';
import { answerNever, startOipServer } from '../support/oip-server.ts';

const IMAGE = { name: 'image', datatype: 'FP32', shape: [1, 28, 28], data: new Array(784).fill(0) };

let gateway: GatewayUnderTest;

beforeAll(async () => {
  const gone = await startOipServer({ models: [], onInfer: () => answerNever });
  gateway = await startGateway({
    workers: 2,
    tenants: TENANTS,
    models: {
      split: {
        variants: [
          onnxVariant('v1', 'stable', 'digits/v1.onnx'),
          grpcVariant('v2', 'canary', gone.address, { weight: 100 }, { model: 'split' }),
        ],
      },
    },
  });
  await gone.close();
});
afterAll(async () => {
  expect(await gateway.stop()).toBe(0);
});

const story = async (id: string): Promise<RequestStory> =>
  (await admin<{ requests: RequestStory[] }>(gateway, 'GET', `requests/${id}`)).requests[0]!;

describe('a request that is over', () => {
  it('is explained by its id, whichever worker had it: placement, failed tries, phases and cost', async () => {
    const ids = ['first', 'second', 'third', 'fourth'];
    const key = gateway.keys['alpha']!;
    for (const id of ids) {
      const headers = { 'x-request-id': id, 'x-sluice-session': 'caller-1', connection: 'close' };
      expect((await inferRest(gateway, { key, model: 'split', inputs: [IMAGE], headers })).status).toBe(200);
    }
    for (const id of ids) {
      const told = await story(id);
      expect(told).toMatchObject({
        requestId: id,
        face: 'http',
        tenant: 'alpha',
        model: 'split',
        placement: { variant: 'v2', why: 'The plan gives v2 100 % at revision 1; hashed by x-sluice-session.' },
        answeredBy: 'v1',
        failedTries: [{ variant: 'v2', code: 'NO_VARIANT' }],
        fault: null,
      });
      expect(told.phases.map(({ phase }) => phase)).toContain('infer');
    }
  });

  it('is explained where it was refused, and where it came over gRPC', async () => {
    const key = gateway.keys['alpha']!;
    await inferRest(gateway, { key, model: 'nothing', inputs: [IMAGE], headers: { 'x-request-id': 'lost' } });
    expect(await story('lost')).toMatchObject({ fault: { code: 'NOT_FOUND', phase: 'authorise' }, placement: null });
    const caller = new GrpcCaller(gateway.grpcAddress, key);
    await caller.call('ModelInfer', { model_name: 'nothing' }, { 'x-request-id': 'over-grpc' });
    caller.close();
    expect(await story('over-grpc')).toMatchObject({
      face: 'grpc',
      fault: { code: expect.stringMatching(/NOT_FOUND|MALFORMED|BAD_REQUEST/) },
    });
  });

  it('is told by the CLI as text, and an id that nobody remembers ends with 1', async () => {
    const env = { SLUICE_ADMIN_URL: gateway.adminUrl, SLUICE_ADMIN_TOKEN: gateway.adminToken };
    const told = await runCli(['explain', 'first'], env);
    expect(told.code).toBe(0);
    expect(told.out).toContain('failed    NO_VARIANT from v2');
    expect(told.out).toContain('v1 answered in the place of v2');
    const unknown = await runCli(['explain', 'never'], env);
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('No worker remembers a request "never"')]);
  });
});
