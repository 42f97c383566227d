import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grpcVariant, onnxVariant, TENANTS } from '../support/configs.ts';
import { admin, eventually, type GatewayUnderTest, metric, startGateway } from '../support/gateway-under-test.ts';
import { type OipHttpServer, startOipHttpServer } from '../support/oip-http-server.ts';
import { type OipServer, startOipServer } from '../support/oip-server.ts';
import {
  answer,
  answerJson,
  type HttpScript,
  type ScriptedHttpServer,
  type SeenRequest,
  startScriptedHttpServer,
} from '../support/scripted-http-server.ts';

/** `:explain`, from the caller to V1 servers that explain, one that does not, and servers of other protocols. */

const MODEL = {
  name: 'other',
  inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [-1, 2] }],
};
const spec = (dtype: string, ...sizes: string[]) => ({
  dtype,
  tensor_shape: { dim: sizes.map((size) => ({ size, name: '' })), unknown_rank: false },
});
const METADATA = {
  metadata: {
    signature_def: {
      signature_def: {
        serving_default: { inputs: { x: spec('DT_FLOAT', '-1', '2') }, outputs: { y: spec('DT_FLOAT', '-1', '2') } },
      },
    },
  },
};
/** Spaces, order and a number that JSON.parse would change: all of it has to come through. */
const EXPLANATION = '{ "predictions": [[1, 2]],"explanations":{"weights":[0.10, 12345678901234567890]} }\n';
const TELLING = JSON.stringify({ explanations: { text: 'ask bob@example.com\nor pay 4111 1111 1111 1111', 'a@b.io': 1 } });

let server: ScriptedHttpServer;
let overGrpc: OipServer;
let overHttp: OipHttpServer;
let gateway: GatewayUnderTest;

const PRICE = { price: { version: 'p1', perRequestUsd: 0.000001, perCacheHitUsd: 0.0000001 } };
const v1 = (name = 'v1', role = 'stable', more: object = {}): object => ({
  name,
  role,
  backend: { kind: 'http', protocol: 'v1', endpoints: [server.url] },
  ...(role === 'shadow' ? {} : PRICE),
  ...more,
});

function serve({ path, body }: SeenRequest): HttpScript {
  if (path.endsWith('/metadata')) return answerJson(METADATA);
  if (path.endsWith(':predict'))
    return answerJson({ outputs: (JSON.parse(body.toString()) as { inputs: { x: unknown } }).inputs.x });
  if (path === '/v1/models/mute:explain') return answerJson({ error: 'secret words' }, 501);
  if (path === '/v1/models/lying:explain') return answer(200, '"explanations"');
  if (path.endsWith(':explain')) return answer(200, path.includes('telling') ? TELLING : EXPLANATION);
  return answerJson({ model_version_status: [{ version: '1', state: 'AVAILABLE' }] });
}

beforeAll(async () => {
  server = await startScriptedHttpServer({ onRequest: serve });
  overGrpc = await startOipServer({ models: [MODEL] });
  overHttp = await startOipHttpServer({ models: [MODEL] });
  const pii = { name: 'pii', kind: 'pii' };
  gateway = await startGateway({
    tenants: TENANTS,
    models: {
      plain: { variants: [v1()], inputs: { x: { max: 100 } } },
      cached: { cache: {}, variants: [v1()] },
      telling: { guards: { output: [pii] }, variants: [v1()] },
      'telling-nothing': { guards: { output: [{ name: 'deny', kind: 'denyList', phrases: ['bob'] }] }, variants: [v1()] },
      shadowed: { variants: [v1(), v1('v2', 'shadow', { weight: 100 })] },
      mute: { variants: [v1()] },
      lying: { variants: [v1()] },
      digits: { variants: [onnxVariant('v1', 'stable', 'digits/v1.onnx', PRICE)] },
      'over-grpc': { variants: [grpcVariant('v1', 'stable', overGrpc.address, PRICE, { model: 'other' })] },
      'over-http': {
        variants: [
          { name: 'v1', role: 'stable', backend: { kind: 'http', endpoints: [overHttp.url], model: 'other' }, ...PRICE },
        ],
      },
    },
  });
});

afterAll(async () => {
  expect(await gateway.stop()).toBe(0);
  await Promise.all([server.close(), overGrpc.close(), overHttp.close()]);
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

async function ask(path: string, body: string, tenant = 'alpha'): Promise<Answer> {
  const headers = { authorization: `Bearer ${gateway.keys[tenant] ?? tenant}` };
  const response = await fetch(`${gateway.httpUrl}/v1/models/${path}`, { method: 'POST', headers, body });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const X = '{"instances":[[1,2]]}';
const explain = (model: string, body = X) => ask(`${model}:explain`, body);
const seenAt = (path: string): number => server.requests.filter((request) => request.path === path).length;

describe('V1 explain', () => {
  it('is answered by a V1 server, byte for byte, and costs what a request costs', async () => {
    const found = await explain('plain');
    expect([found.status, found.text]).toEqual([200, EXPLANATION]);
    expect(found.headers.get('x-sluice-variant')).toBe('v1');
    expect(found.headers.get('x-sluice-cost-nano-usd')).toBe('1000');
    expect((await ask('plain/labels/stable:explain', X)).text).toBe(EXPLANATION);
    const seen = server.requests.find(({ path }) => path === '/v1/models/plain:explain')!;
    expect(seen.body.toString()).toBe('{"instances":[[1,2]]}');
    expect(await metric(gateway, 'sluice_requests_total', { codec: 'v1-explain', model: 'plain' })).toBe(2);
  });

  it('passes what every request passes: key, model, signature and rules', async () => {
    const before = seenAt('/v1/models/plain:explain');
    expect((await ask('plain:explain', X, 'sl_wrong')).status).toBe(401);
    expect((await explain('nothing')).status).toBe(404);
    const misfit = await explain('plain', '{"instances":[[1,2,3]]}');
    expect([misfit.status, misfit.text]).toEqual([400, expect.stringContaining('shape is [1,3]')]);
    expect((await explain('plain', '{"instances":[[1,200]]}')).status).toBe(400);
    expect(seenAt('/v1/models/plain:explain')).toBe(before);
  });

  it('never gets the answer of a prediction from the cache, nor gives it one', async () => {
    const states: (string | null)[] = [];
    for (const verb of ['explain', 'predict', 'explain', 'predict']) {
      const found = await ask(`cached:${verb}`, X);
      expect(found.text).toBe(verb === 'explain' ? EXPLANATION : '{"predictions":[[1,2]]}');
      states.push(found.headers.get('x-sluice-cache'));
    }
    expect(states).toEqual(['miss', 'miss', 'hit', 'hit']);
    expect(seenAt('/v1/models/cached:explain')).toBe(1);
  });

  it('is read by the output guards, and stays JSON when they rewrite it', async () => {
    const found = await explain('telling');
    expect([found.status, JSON.parse(found.text)]).toEqual([
      200,
      { explanations: { text: 'ask [email]\nor pay [card]', '[email]': 1 } },
    ]);
    const blocked = await explain('telling-nothing');
    expect([blocked.status, JSON.parse(blocked.text)]).toMatchObject([422, { code: 'GUARD_BLOCKED' }]);
  });

  it('is not copied to shadows', async () => {
    expect((await explain('shadowed')).text).toBe(EXPLANATION);
    await ask('shadowed:predict', X);
    await eventually('the copy of the prediction', async () => seenAt('/v1/models/shadowed:predict') === 2);
    expect(seenAt('/v1/models/shadowed:explain')).toBe(1);
  });

  it.each(['digits', 'over-grpc', 'over-http', 'mute'])(
    'is 501 where the server explains nothing, and free: %s',
    async (model) => {
      const body = model === 'digits' ? JSON.stringify({ instances: [new Array(28).fill(new Array(28).fill(0))] }) : X;
      const found = await explain(model, body);
      expect(found.status, found.text).toBe(501);
      expect(JSON.parse(found.text)).toMatchObject({ code: 'NOT_SUPPORTED', error: expect.stringContaining('ask :predict') });
      expect(found.text).not.toContain('secret words');
      const { usage } = await admin<{ usage: { model: string; cost: string }[] }>(gateway, 'GET', 'usage?tenant=alpha');
      expect(usage.filter((total) => total.model === model).map((total) => Number(total.cost))).toEqual([0]);
      expect((await ask(`${model}:predict`, body)).status).toBe(200);
    },
  );

  it('is not believed when it is no JSON object', async () => {
    const found = await explain('lying');
    expect([found.status, JSON.parse(found.text)]).toMatchObject([502, { code: 'BACKEND_LIED' }]);
  });
});
