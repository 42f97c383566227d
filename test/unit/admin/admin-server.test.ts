import { createHash } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AdminServer, type AdminServerOptions } from '../../../src/admin/admin-server.ts';
import type { AccessControl, RevokeResult } from '../../../src/core/access.ts';
import type { RequestContext } from '../../../src/core/context.ts';
import type {
  ControlPlane,
  PlanView,
  Purge,
  RestartResult,
  VariantChange,
  VariantResult,
} from '../../../src/core/control-plane.ts';
import type { RequestStory } from '../../../src/core/request-story.ts';
import { RequestKind } from '../../../src/telemetry/request-kind.ts';
import { RequestMemory } from '../../../src/telemetry/request-memory.ts';
import { NO_ROLLOUTS } from '../../support/no-rollouts.ts';
import { stranger } from '../telemetry/sample-request.ts';
import { ScriptedTraffic } from './scripted-traffic.ts';

const PLAN: PlanView = { model: 'digits', revision: 3, variants: [], pins: [], fallbacks: ['v1'] };
const REACHED = { acknowledged: 4, total: 4 };
const variantChanges: [string, VariantChange][] = [];
let variantResult: VariantResult = { is: 'unknown' };
const VIEW = {
  name: 'v2',
  role: 'canary',
  labels: [],
  backend: 'onnx',
  target: 'm.onnx',
  weightBp: 0,
  readiness: 'ready',
  reason: '',
  inFlight: 0,
  attempts: 0,
  failures: 0,
  lastFault: '',
};
function storyOf(ctx: RequestContext): RequestStory {
  const memory = new RequestMemory(1);
  memory.note(ctx, new RequestKind(ctx), 0, 0);
  return memory.find(ctx.requestId)[0]!;
}
const STORY = storyOf(stranger());
let ready = true;
const purges: Purge[] = [];
const revoked: string[] = [];
let revokeResult: RevokeResult = { is: 'unknown' };
let restartResult: RestartResult = { is: 'busy' };

const fake: Omit<ControlPlane, 'access' | 'config' | 'audit'> & { readonly access: Pick<AccessControl, 'revoke'> } = {
  comparisons: { read: () => Promise.resolve(null), disagreements: () => Promise.resolve(null) },
  traffic: new ScriptedTraffic(),
  access: {
    revoke: ({ keyId }) => {
      revoked.push(keyId);
      return Promise.resolve(revokeResult);
    },
  },
  rollouts: NO_ROLLOUTS,
  plans: () => Promise.resolve([PLAN]),
  backends: () => Promise.resolve([]),
  load: (change) => {
    variantChanges.push(['load', change]);
    return Promise.resolve(variantResult);
  },
  unload: (change) => {
    variantChanges.push(['unload', change]);
    return Promise.resolve(variantResult);
  },
  usage: (tenant) =>
    Promise.resolve([
      {
        tenant,
        model: 'digits',
        variant: 'v1',
        requests: 1,
        failures: 0,
        cacheHits: 0,
        rows: 1,
        inputBytes: 1,
        outputBytes: 1,
        computeUs: 1,
        cost: 2n ** 60n,
      },
    ]),
  purgeCache: (purge) => {
    purges.push(purge);
    return Promise.resolve({ is: 'applied', purged: 7, workers: REACHED });
  },
  restart: () => Promise.resolve(restartResult),
  workers: () => [{ worker: 0, generation: 1, pid: 7, state: 'serving', ready: true, residentBytes: 1, cpuSeconds: 2 }],
  isReady: () => ready,
  explain: (id) => Promise.resolve(id === 'req-1' ? [STORY] : []),
  metrics: () => Promise.resolve('sluice_up 1\n'),
};
const plane = fake as unknown as ControlPlane;

const errors: unknown[] = [];
const config = {
  host: '127.0.0.1',
  port: 0,
  tls: null,
  token: { env: 'X' },
  tokens: [],
  maxIssuedKeys: 10,
  maxBodyBytes: 200,
  maxRequestsPerSecond: 1_000,
  allowedHosts: ['gateway.internal'],
};
const holders = [
  {
    name: 'admin-token',
    role: 'owner',
    sha256: createHash('sha256').update('secret-token').digest(),
    expiresMs: Number.POSITIVE_INFINITY,
  },
];
const common: Omit<AdminServerOptions, 'config'> = {
  holders: () => holders,
  tls: null,
  plane,
  within: (_caller, run) => run(),
  onDenied: () => undefined,
  onError: (error) => errors.push(error),
};
const server = new AdminServer({ ...common, config });
let port = 0;

beforeAll(async () => {
  port = await server.listen();
});
afterAll(async () => {
  await server.close();
  expect(errors).toEqual([]);
});

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Record<string, unknown>;
}

function call(
  method: string,
  path: string,
  options: { token?: string; body?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { token = 'secret-token', body = '', headers = {} } = options;
  const auth: Record<string, string> = token === '' ? {} : { authorization: `Bearer ${token}` };
  return new Promise((done, failed) => {
    const sent = request({ host: '127.0.0.1', port, method, path, headers: { ...auth, ...headers } }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => done({ status: response.statusCode!, body: text, headers: response.headers }));
    });
    sent.on('error', failed);
    sent.end(body);
  });
}

describe('the admin port', () => {
  it('lets nobody in without its token, and says nothing about paths to strangers', async () => {
    for (const token of ['', 'wrong', 'secret-toke', 'secret-tokenn']) {
      expect((await call('GET', '/admin/v1/plans', { token })).status).toBe(401);
      expect((await call('GET', '/admin/v1/nothing', { token })).status).toBe(401);
    }
    expect((await call('GET', '/admin/v1/plans')).status).toBe(200);
  });

  it('refuses host names that are not its own and pages of another origin', async () => {
    expect((await call('GET', '/metrics', { headers: { host: 'evil.example' } })).status).toBe(421);
    expect((await call('GET', '/metrics', { headers: { host: 'gateway.internal:9' } })).status).toBe(200);
    const origin = (value: string) => call('GET', '/admin/v1/plans', { headers: { origin: value } });
    expect((await origin('http://evil.example')).status).toBe(403);
    expect((await origin('null')).status).toBe(403);
    expect((await origin(`http://127.0.0.1:${port}`)).status).toBe(200);
  });

  it('answers probes and scrapers on loopback without a token', async () => {
    expect(await call('GET', '/metrics', { token: '' })).toMatchObject({ status: 200, body: 'sluice_up 1\n' });
    expect((await call('GET', '/healthz', { token: '' })).status).toBe(200);
    ready = false;
    expect((await call('GET', '/healthz', { token: '' })).status).toBe(503);
    ready = true;
  });

  it('reads plans, backends and usage, with money exact', async () => {
    expect(JSON.parse((await call('GET', '/admin/v1/plans/digits')).body)).toEqual(PLAN);
    expect((await call('GET', '/admin/v1/plans/other')).status).toBe(404);
    expect(JSON.parse((await call('GET', '/admin/v1/backends')).body)).toEqual({ backends: [] });
    const usage = JSON.parse((await call('GET', '/admin/v1/usage?tenant=acme')).body) as { usage: unknown[] };
    expect(usage.usage[0]).toMatchObject({ tenant: 'acme', cost: '1152921504606846976' });
    expect(JSON.parse((await call('POST', '/admin/v1/cache/purge')).body)).toEqual({ purged: 7, workers: REACHED });
    expect(purges).toEqual([{ model: '', actor: 'admin-token', reason: '', dryRun: false }]);
    expect(JSON.parse((await call('GET', '/admin/v1/workers')).body)).toMatchObject({ workers: [{ pid: 7, state: 'serving' }] });
  });

  it.each([
    ['{"expectedRevision":3}', 400, 'weightsBp'],
    ['{"expectedRevision":3,"weightsBp":{"v2":10001}}', 400, '10001'],
    ['{"expectedRevision":3,"weightsBp":{"v2":5},"extra":1}', 400, 'extra'],
    ['{', 400, 'not JSON'],
    [`{"reason":"${'x'.repeat(300)}"}`, 413, '200'],
  ])('refuses the body %s with %i', async (body, status, word) => {
    const answer = await call('PUT', '/admin/v1/plans/digits/weights', { body });
    expect(answer.status).toBe(status);
    expect(answer.body).toContain(word);
    expect(answer.headers['content-type']).toBe('application/problem+json');
  });

  it('refuses a body that is too large before all of it is there, and closes the connection', async () => {
    const answer = await new Promise<IncomingMessage>((done, failed) => {
      const headers = { authorization: 'Bearer secret-token', 'content-length': '1000000' };
      const sent = request({ host: '127.0.0.1', port, method: 'POST', path: '/admin/v1/restart', headers }, done);
      sent.on('error', failed);
      sent.write('x'.repeat(300));
    });
    expect([answer.statusCode, answer.headers.connection]).toEqual([413, 'close']);
    answer.resume();
  });

  it.each([
    [{ is: 'applied', workers: REACHED, unkept: '' }, 200, '"revoked":true'],
    [{ is: 'unknown' }, 404, 'no key with the id \\"demo0001\\"'],
    [{ is: 'unaudited', problem: 'disk full' }, 503, 'disk full'],
  ] as const)('answers a revocation that is %o with %i', async (outcome, status, word) => {
    revokeResult = outcome;
    const answer = await call('POST', '/admin/v1/keys/demo0001/revoke', { body: '{"reason":"r"}' });
    expect([answer.status, answer.body]).toEqual([status, expect.stringContaining(word)]);
    expect(revoked.at(-1)).toBe('demo0001');
    expect((await call('POST', '/admin/v1/keys/demo0001/revoke', { body: '{"force":true}' })).status).toBe(400);
  });

  it.each([
    [{ is: 'applied', generation: 2, workers: REACHED }, 200, '"generation":2'],
    [{ is: 'busy' }, 409, 'started already'],
    [{ is: 'failed', problem: 'no such file' }, 502, 'no such file'],
    [{ is: 'unaudited', problem: 'disk full' }, 503, 'disk full'],
  ] as const)('answers a restart that is %o with %i', async (outcome, status, word) => {
    restartResult = outcome;
    const answer = await call('POST', '/admin/v1/restart');
    expect([answer.status, answer.body]).toEqual([status, expect.stringContaining(word)]);
  });

  const view = (readiness: string): VariantResult => ({ is: 'applied', variant: { ...VIEW, readiness }, workers: REACHED });

  it.each([
    [view('ready'), 200, '"ready"'],
    [view('warming'), 202, '"warming"'],
    [{ is: 'unknown' }, 404, 'no variant \\"v2\\" of a model \\"digits\\"'],
    [{ is: 'busy' }, 409, 'under way'],
    [{ is: 'needed', problem: 'carries 5 %' }, 409, 'carries 5 %'],
    [{ is: 'failed', problem: 'no such file' }, 502, 'no such file'],
    [{ is: 'unaudited', problem: 'disk full' }, 503, 'disk full'],
  ] as const)('answers a load or unload that is %o with %i', async (outcome, status, word) => {
    variantResult = outcome;
    const path = '/admin/v1/models/digits/variants/v2';
    const loaded = await call('POST', `${path}/load`, { body: '{"reason":"r"}' });
    expect([loaded.status, loaded.body]).toEqual([status, expect.stringContaining(word)]);
    const change = { model: 'digits', variant: 'v2', actor: 'admin-token', reason: 'r', dryRun: false };
    expect(variantChanges.at(-1)).toEqual(['load', { ...change, force: false }]);
    expect((await call('POST', `${path}/unload`, { body: '{"force":true,"reason":"r"}' })).status).toBe(status);
    expect(variantChanges.at(-1)).toEqual(['unload', { ...change, force: true }]);
  });

  it('takes no body for a load, and none that brings files, a configuration or force', async () => {
    const path = '/admin/v1/models/digits/variants/v2/load';
    const before = variantChanges.length;
    expect((await call('POST', path)).status).not.toBe(400);
    for (const body of [
      '{"parameters":{"config":"{}"}}',
      '{"config":"{}"}',
      '{"file:1/model.onnx":"AA"}',
      '{"force":true}',
      '[]',
    ]) {
      expect((await call('POST', path, { body })).status, body).toBe(400);
    }
    expect(variantChanges.length).toBe(before + 1);
    expect((await call('GET', path)).headers['allow']).toBe('POST');
  });

  it('tells what is known of a request, and of one that nobody remembers why that may be', async () => {
    const known = await call('GET', '/admin/v1/requests/req-1');
    expect([known.status, JSON.parse(known.body)]).toEqual([200, { requests: [STORY] }]);
    const unknown = await call('GET', '/admin/v1/requests/req-2');
    expect([unknown.status, unknown.body]).toEqual([404, expect.stringContaining('telemetry.explainRequests')]);
  });

  it('is 404 for unknown paths and 405 with the verbs for known ones', async () => {
    expect((await call('GET', '/admin/v1/plans/a/b/c')).status).toBe(404);
    expect((await call('GET', '/admin/v1/plans/%zz')).status).toBe(404);
    expect((await call('GET', '/admin')).status).toBe(404);
    const wrong = await call('DELETE', '/admin/v1/plans');
    expect([wrong.status, wrong.headers['allow']]).toEqual([405, 'GET']);
  });
});

describe('a flood on the admin port', () => {
  it('of strangers is answered late and with 429, and leaves the holder of the token alone', async () => {
    const flooded = new AdminServer({
      config: { ...config, maxRequestsPerSecond: 5 },
      ...common,
    });
    const floodedPort = await flooded.listen();
    const ask = async (headers: Record<string, string>): Promise<readonly [number, string | null, string | null]> => {
      const response = await fetch(`http://127.0.0.1:${floodedPort}/metrics`, { headers });
      await response.text();
      return [response.status, response.headers.get('connection'), response.headers.get('retry-after')];
    };
    const strangers = await Promise.all(Array.from({ length: 12 }, () => ask({})));
    expect(strangers.filter(([status]) => status === 200).length).toBeGreaterThanOrEqual(5);
    const refused = strangers.filter(([status]) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    for (const each of refused) expect(each).toEqual([429, 'close', '1']);
    expect((await ask({ authorization: 'Bearer secret-token' }))[0]).toBe(200);
    await flooded.close();
  });

  it('has those who ask for the metrics at the same time share one exposition', async () => {
    let written = 0;
    const slow: ControlPlane = {
      ...plane,
      metrics: () => {
        written++;
        return new Promise((done) => setTimeout(done, 50, 'sluice_up 1\n'));
      },
    };
    const shared = new AdminServer({
      ...common,
      config,
      plane: slow,
    });
    const url = `http://127.0.0.1:${await shared.listen()}/metrics`;
    const texts = await Promise.all(Array.from({ length: 8 }, async () => (await fetch(url)).text()));
    expect([new Set(texts).size, written < 8]).toEqual([1, true]);
    await shared.close();
  });
});
