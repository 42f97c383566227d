import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KeyView } from '../../src/core/access.ts';
import type { AuditEntry, AuditHead } from '../../src/core/audit.ts';
import { grpcVariant, key, onnxVariant, TENANTS } from '../support/configs.ts';
import {
  admin,
  eventually,
  type GatewayUnderTest,
  metric,
  runCli,
  startGateway,
  workerPids,
} from '../support/gateway-under-test.ts';
import { type Document, mismatches, type Named, operationsOf } from '../support/openapi.ts';

/** Stands in every place of a config that a secret can stand in. */
const CANARY = 'canary-of-a-secret-0123456789';
const CI = 'token-of-the-pipeline-0123456789';

const state = mkdtempSync(join(tmpdir(), 'sluice-access-'));
const AUDIT = join(state, 'audit.jsonl');
const sample = (): string => readFileSync(join(import.meta.dirname, '../../config/samples/digits.json'), 'utf8');

const config = (more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> => ({
  workers: 2,
  listen: {
    admin: {
      tokens: [
        { name: 'ci', role: 'operator', sha256: createHash('sha256').update(CI).digest('hex') },
        { name: 'desk', role: 'key-admin', secret: { env: 'DESK_TOKEN' } },
      ],
    },
  },
  sequences: { secret: { env: 'SEQUENCE_SECRET' } },
  telemetry: { otlp: { endpoint: `http://user:${CANARY}@127.0.0.1:1/v1/traces?key=${CANARY}`, sampleRatio: 0 } },
  tenants: [...TENANTS, { id: 'acme', keys: [key('acme0001', { models: ['digits'] })] }],
  models: {
    digits: {
      cache: { ttlMs: 60_000 },
      variants: [
        onnxVariant('v1', 'stable', 'digits/v1.onnx'),
        // Nobody listens there, so that there is something that may be loaded.
        grpcVariant('v2', 'canary', '127.0.0.1:1', { weight: 5 }, { credential: { env: 'BACKEND_SECRET' } }),
      ],
    },
  },
  ...more,
});

const ENV = {
  SLUICE_STATE_DIR: state,
  DESK_TOKEN: `${CANARY}-desk`,
  SEQUENCE_SECRET: `${CANARY}-of-sequences-and-long-enough`,
  BACKEND_SECRET: `${CANARY}-backend`,
};

let gateway: GatewayUnderTest;
let document: Document;

beforeAll(async () => {
  gateway = await startGateway(config(), ENV);
  document = await admin<Document>(gateway, 'GET', 'openapi.json');
});
afterAll(async () => {
  await gateway.stop();
  rmSync(state, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

async function ask(method: string, path: string, token: string, body: object | null = null): Promise<Answer> {
  const response = await fetch(`${gateway.adminUrl}/admin/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    body: body === null ? null : JSON.stringify(body),
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

const infer = async (apiKey: string): Promise<number> => {
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  const send = (): Promise<Response> =>
    fetch(`${gateway.httpUrl}/v2/models/digits/infer`, { method: 'POST', headers, body: sample() });
  // Workers that were replaced close connections which the client may be about to use again.
  const response = await send().catch(send);
  await response.text();
  return response.status;
};

/** On each worker. */
const inferOften = async (apiKey: string): Promise<ReadonlySet<number>> =>
  new Set(await Promise.all(Array.from({ length: 8 }, () => infer(apiKey))));

const NAMES: Readonly<Record<string, string>> = { model: 'digits', variant: 'v2', tenant: 'acme', id: 'acme0001', revision: '1' };
const filled = (path: string): string => path.replace(/\{(\w+)\}/g, (_, name: string) => NAMES[name] ?? 'none');

describe('what the admin API answers', () => {
  it('is what its description says, for each operation that reads', async () => {
    const reading = operationsOf(document).filter(({ method }) => method === 'GET');
    expect(reading.length).toBeGreaterThan(8);
    for (const { path, operation } of reading) {
      const { status, text, headers } = await ask('GET', filled(path), gateway.adminToken);
      const described = operation.responses[String(status)];
      expect(described, `${path}: ${status}`).toBeDefined();
      const media = headers.get('content-type')!;
      expect(Object.keys(described!.content)).toEqual([media]);
      expect(mismatches(document, described!.content[media]!.schema, JSON.parse(text)), path).toEqual([]);
    }
  });

  it('is what its description says, for dry runs', async () => {
    const dry = operationsOf(document).filter(({ operation }) =>
      JSON.stringify(operation.requestBody ?? '').includes('"dryRun"'),
    );
    expect(dry.length).toBeGreaterThan(5);
    const before = await admin<{ head: AuditHead }>(gateway, 'GET', 'audit');
    const pids = await workerPids(gateway);
    for (const each of dry) {
      const body = { dryRun: true, ...BODIES[each.operation.operationId] };
      const { status, text } = await ask(each.method, filled(each.path), gateway.adminToken, body);
      if (!Object.hasOwn(BODIES, each.operation.operationId)) continue;
      const schema = each.operation.responses[String(status)]!.content;
      expect([status, JSON.parse(text)], each.path).toMatchObject([200, { dryRun: true }]);
      expect(mismatches(document, Object.values(schema)[0]!.schema, JSON.parse(text)), each.path).toEqual([]);
    }
    expect((await admin<{ head: AuditHead }>(gateway, 'GET', 'audit')).head).toEqual(before.head);
    expect(await workerPids(gateway)).toEqual(pids);
    expect(await infer(gateway.keys['acme']!)).toBe(200);
  });

  it('never holds a secret', async () => {
    const digest = createHash('sha256').update(CI).digest('hex');
    const known = [CANARY, CI, digest, gateway.adminToken, ...Object.values(gateway.keys)];
    for (const { path } of operationsOf(document).filter(({ method }) => method === 'GET')) {
      const { text } = await ask('GET', filled(path), gateway.adminToken);
      for (const secret of known) expect(text.includes(secret), `${path} holds ${secret}`).toBe(false);
    }
    expect((await ask('GET', 'config', gateway.adminToken)).text).toContain('"name":"desk","role":"key-admin"');
    for (const secret of known.slice(0, 3)) expect(gateway.output()).not.toContain(secret);
  });
});

/** What the operations of the description need to be taken at their word. */
const BODIES: Readonly<Record<string, object>> = {
  changeWeights: { expectedRevision: 1, weightsBp: { v2: 100 } },
  changePlan: { expectedRevision: 1, fallbacks: [] },
  switchPlan: { variant: 'v2' },
  loadVariant: {},
  unloadVariant: { force: true },
  purgeCache: {},
  issueKey: {},
  revokeKey: {},
  restart: {},
  reloadConfig: {},
};

describe('tokens with roles', () => {
  it('open what their roles may do, and stand in the record by their names', async () => {
    const desk = `${CANARY}-desk`;
    expect((await ask('POST', 'cache/purge', CI, { reason: 'stale' })).status).toBe(200);
    expect((await ask('POST', 'cache/purge', desk)).status).toBe(403);
    expect((await ask('GET', 'audit', CI)).status).toBe(403);
    expect((await ask('GET', 'plans', randomBytes(16).toString('hex'))).status).toBe(401);
    const { records } = await admin<{ records: AuditEntry[] }>(gateway, 'GET', 'audit?limit=1');
    expect(records[0]).toMatchObject({ actor: 'ci', role: 'operator', action: 'cache.purge', reason: 'stale' });
    expect(records[0]!.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(await metric(gateway, 'sluice_admin_denied_total', { reason: 'role' })).toBeGreaterThan(1);
    expect(await metric(gateway, 'sluice_audit_seq')).toBe(records[0]!.seq);
  });

  it('are closed by a reload, without an end of the gateway', async () => {
    gateway.rewrite(config({ listen: {} }));
    const reloaded = await ask('POST', 'config/reload', gateway.adminToken, { reason: 'the pipeline leaked' });
    expect([reloaded.status, reloaded.text]).toEqual([200, expect.stringContaining('listen.admin.tokens')]);
    expect((await ask('GET', 'plans', CI)).status).toBe(401);
    gateway.rewrite(config());
    expect((await ask('POST', 'config/reload', gateway.adminToken)).status).toBe(200);
    expect((await ask('GET', 'plans', CI)).status).toBe(200);
  });
});

describe('a reload that is asked for', () => {
  it('is refused with the reason, and leaves the config as it is', async () => {
    gateway.rewrite(config({ nonsense: true }));
    for (const body of [{ dryRun: true }, {}]) {
      const { status, text } = await ask('POST', 'config/reload', gateway.adminToken, body);
      expect([status, text]).toEqual([422, expect.stringMatching(/config in force stays.*nonsense: unknown key/)]);
    }
    gateway.rewrite(config());
    await eventually('it is good again', async () => (await metric(gateway, 'sluice_config_reload_failed')) === 0);
  });
});

describe('a key that is issued at run time', () => {
  it('opens at once on every worker, also after a reload and a restart, until it is revoked', async () => {
    const cli = { SLUICE_ADMIN_URL: gateway.adminUrl, SLUICE_ADMIN_TOKEN: gateway.adminToken };
    const args = ['keys', 'issue', 'acme', '--models', 'digits', '--reason', 'batch', '--json'];
    const issued = JSON.parse((await runCli(args, cli)).out) as KeyView & { key: string };
    expect(issued).toMatchObject({ tenant: 'acme', state: 'active', source: 'issued', issuedBy: 'admin-token' });
    expect(await inferOften(issued.key)).toEqual(new Set([200]));
    // Nothing on disk could be used in its place.
    for (const file of ['issued-keys.json', 'audit.jsonl'])
      expect(readFileSync(join(state, file), 'utf8')).not.toContain(issued.key);
    expect(readFileSync(AUDIT, 'utf8')).not.toContain(createHash('sha256').update(issued.key).digest('hex'));

    expect((await ask('POST', 'restart', gateway.adminToken)).status).toBe(200);
    expect(await inferOften(issued.key)).toEqual(new Set([200]));
    expect(await gateway.stop()).toBe(0);
    gateway = await startGateway(config(), ENV);
    expect(await inferOften(issued.key)).toEqual(new Set([200]));

    const again = { SLUICE_ADMIN_URL: gateway.adminUrl, SLUICE_ADMIN_TOKEN: gateway.adminToken };
    expect((await runCli(['keys', 'list', 'acme'], again)).out).toMatch(new RegExp(`${issued.id} +acme +active`));
    expect((await runCli(['keys', 'revoke', issued.id], again)).code).toBe(0);
    expect(await inferOften(issued.key)).toEqual(new Set([401]));
    expect((await runCli(['keys', 'list', 'acme'], again)).out).toMatch(new RegExp(`${issued.id} +acme +revoked`));
  });

  it('is refused for a tenant or a model that there is not, for a time that is over, and past the bound', async () => {
    const issue = (tenant: string, body: object): Promise<Answer> =>
      ask('POST', `tenants/${tenant}/keys`, gateway.adminToken, body);
    expect((await issue('nobody', {})).text).toContain('alpha, beta, acme');
    expect(await issue('acme', { models: ['none'] })).toMatchObject({ status: 422 });
    expect(await issue('acme', { expires: '2020-01-01T00:00:00Z' })).toMatchObject({ status: 422 });
    expect(await issue('acme', { scopes: ['everything'] })).toMatchObject({ status: 400 });
    gateway.rewrite(config({ listen: { admin: { maxIssuedKeys: 1 } } }));
    expect((await ask('POST', 'config/reload', gateway.adminToken)).status).toBe(200);
    expect(await issue('acme', {})).toMatchObject({ status: 201 });
    expect((await issue('acme', {})).text).toContain('raise listen.admin.maxIssuedKeys');
    gateway.rewrite(config());
    expect((await ask('POST', 'config/reload', gateway.adminToken)).status).toBe(200);
  });
});

describe('the audit record', () => {
  const cli = (...args: string[]): ReturnType<typeof runCli> =>
    runCli(args, { SLUICE_ADMIN_URL: gateway.adminUrl, SLUICE_ADMIN_TOKEN: gateway.adminToken });

  it('is listed and checked by the CLI, over both lives of the gateway', async () => {
    const { head } = await admin<{ head: AuditHead }>(gateway, 'GET', 'audit');
    const whole = await cli('audit', 'verify', AUDIT, '--head', head.hash);
    expect([whole.code, whole.out]).toEqual([0, expect.stringContaining(`${head.seq} records`)]);
    const listed = await cli('audit', '--limit', '3');
    expect(listed.out.split('\n').length).toBe(2 + 3 + 1);
    expect(listed.err).toContain(head.hash);
    expect(gateway.output()).toMatch(/"msg":"audit head"/);
    const copy = join(state, 'copy.jsonl');
    const bytes = readFileSync(AUDIT);
    bytes[bytes.length >> 1]! ^= 4;
    writeFileSync(copy, bytes);
    const broken = await cli('audit', 'verify', copy);
    expect([broken.code, broken.err]).toEqual([1, expect.stringContaining('is broken: line')]);
  });

  it('shows backends as a table with their endpoints', async () => {
    const shown = await cli('backends', 'digits');
    expect(shown.out).toMatch(/digits +v1 +onnx +ready +yes/);
    expect(shown.out).toMatch(/digits +v2 +grpc .*127\.0\.0\.1:1/);
    expect((await cli('backends', 'none')).code).toBe(1);
  });

  /** What a change could change. */
  const everything = async (): Promise<unknown> => {
    const plans = await admin<{ plans: { variants: { readiness: string; weightBp: number }[] }[] }>(gateway, 'GET', 'plans');
    const parts = plans.plans.map(({ variants }) => variants.map(({ readiness, weightBp }) => [readiness, weightBp]));
    return [parts, await ask('GET', 'keys', gateway.adminToken).then(({ text }) => text), await workerPids(gateway)];
  };

  it('has every change refused while it is broken, with nothing changed, until its file is moved away', async () => {
    const good = readFileSync(AUDIT, 'utf8');
    const lines = good.trimEnd().split('\n');
    writeFileSync(AUDIT, `${lines.toSpliced(-2, 1).join('\n')}\n`);
    const before = await everything();
    const changing: readonly Named[] = operationsOf(document).filter(({ method }) => method !== 'GET');
    for (const { method, path, operation } of changing) {
      const { status, text } = await ask(method, filled(path), gateway.adminToken, BODIES[operation.operationId] ?? {});
      // Those that are not taken at their word are refused for what they lack.
      expect(status, `${method} ${path}: ${text}`).toBeGreaterThanOrEqual(400);
      if (!Object.hasOwn(BODIES, operation.operationId)) continue;
      expect([status, text], path).toEqual([503, expect.stringContaining('Nothing was changed')]);
    }
    expect(await everything()).toEqual(before);
    expect(await metric(gateway, 'sluice_audit_refusing')).toBe(1);
    renameSync(AUDIT, `${AUDIT}.broken`);
    expect((await ask('POST', 'cache/purge', gateway.adminToken, {})).status).toBe(200);
    expect((await cli('audit', 'verify', AUDIT)).code).toBe(0);
    expect(await metric(gateway, 'sluice_audit_refusing')).toBe(0);
  });
});
