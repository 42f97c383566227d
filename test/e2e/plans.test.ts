import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PlanView } from '../../src/core/control-plane.ts';
import type { HistoryView } from '../../src/core/plan-control.ts';
import { GrpcCaller, inferRest } from '../support/clients.ts';
import { grpcVariant, TENANTS } from '../support/configs.ts';
import { admin, eventually, type GatewayUnderTest, runCli, startGateway, workerPids } from '../support/gateway-under-test.ts';
import { type OipHttpServer, startOipHttpServer } from '../support/oip-http-server.ts';
import { type OipServer, startOipServer } from '../support/oip-server.ts';

const MODEL = {
  name: 'm',
  inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [-1, 2] }],
};
const CALLERS = 60;

let grpc: OipServer;
let rest: OipHttpServer;
const gateways: GatewayUnderTest[] = [];
beforeEach(async () => {
  grpc = await startOipServer({ models: [MODEL] });
  rest = await startOipHttpServer({ models: [MODEL] });
});
afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway.stop()));
  await Promise.allSettled([grpc.close(), rest.close()]);
});

/** A gRPC stable and an HTTP canary. */
const models = (more: object = {}) => ({
  m: {
    variants: [
      grpcVariant('v1', 'stable', grpc.address),
      { name: 'v2', role: 'canary', weight: 5, backend: { kind: 'http', endpoints: [rest.url], model: 'm' } },
    ],
    ...more,
  },
});

async function start(more: object = {}, stateDir = ''): Promise<GatewayUnderTest> {
  const env: Record<string, string> = stateDir === '' ? {} : { SLUICE_STATE_DIR: stateDir };
  const gateway = await startGateway({ tenants: TENANTS, models: models(), ...more }, env);
  gateways.push(gateway);
  return gateway;
}

/** Status and variant for one caller. */
async function ask(gateway: GatewayUnderTest, headers: Record<string, string> = {}, tenant = 'alpha'): Promise<string> {
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }];
  const answer = await inferRest(gateway, { key: gateway.keys[tenant]!, model: 'm', inputs, headers });
  return answer.headers.get('x-sluice-variant') ?? `${answer.status} ${String(answer.body['code'])}`;
}

const places = (gateway: GatewayUnderTest): Promise<string[]> =>
  Promise.all(Array.from({ length: CALLERS }, (_caller, i) => ask(gateway, { 'x-sluice-session': `caller-${i}` })));

const plan = (gateway: GatewayUnderTest): Promise<PlanView> => admin<PlanView>(gateway, 'GET', 'plans/m');
const weights = ({ variants }: PlanView) => Object.fromEntries(variants.map(({ name, weightBp }) => [name, weightBp]));
const put = (gateway: GatewayUnderTest, expectedRevision: number, body: object) =>
  admin<PlanView>(gateway, 'PUT', 'plans/m', { expectedRevision, ...body });
async function killed(gateway: GatewayUnderTest): Promise<void> {
  const gone = new Promise((done) => gateway.process.once('exit', done));
  gateway.process.kill('SIGKILL');
  await gone;
}
const stateOf = (gateway: GatewayUnderTest): string => join(gateway.dir, 'state');

describe('a gateway that is killed', () => {
  it('comes back with the plan that was set by hand, and with every caller at its place', async () => {
    const first = await start();
    await put(first, 1, { weightsBp: { v2: 4_000 } });
    await put(first, 2, { weightsBp: { v2: 2_500 }, pins: [{ tenant: 'beta', variant: 'v2' }], fallbacks: ['v1', 'v2'] });
    const before = await places(first);
    expect(new Set(before)).toEqual(new Set(['v1', 'v2']));
    await killed(first);
    const next = await start({}, stateOf(first));
    const restored = await plan(next);
    expect(restored).toMatchObject({ revision: 3, pins: [{ tenant: 'beta', variant: 'v2' }], fallbacks: ['v1', 'v2'] });
    expect(weights(restored)).toEqual({ v1: 7_500, v2: 2_500 });
    expect(await places(next)).toEqual(before);
    expect(next.output()).toMatch(/"model":"m","revision":3,.*"msg":"plan restored from its history"/);
    // The config has new words: they count, and nobody can take the revision for the one before.
    await next.stop();
    const changed = models();
    (changed.m.variants[1] as { weight: number }).weight = 6;
    const last = await start({ models: changed }, stateOf(first));
    expect([(await plan(last)).revision, weights(await plan(last))]).toEqual([4, { v1: 9_400, v2: 600 }]);
  });

  it('starts with the plan of the config, and says so loudly, where its history is damaged', async () => {
    const first = await start();
    await put(first, 1, { weightsBp: { v2: 4_000 } });
    await killed(first);
    const file = join(stateOf(first), 'plans', 'm.jsonl');
    const bytes = readFileSync(file);
    bytes[bytes.length - 20]! ^= 1;
    writeFileSync(file, bytes);
    const next = await start({}, stateOf(first));
    expect(next.output()).toMatch(
      /"level":"error".*line 2 is not as it was written.*PLAN HISTORY IS DAMAGED and was moved aside/,
    );
    // Whoever has seen revision 2 must not take this one for it.
    expect([(await plan(next)).revision, weights(await plan(next))]).toEqual([4, { v1: 9_500, v2: 500 }]);
    expect(await ask(next)).toMatch(/^v[12]$/);
  });
});

describe('a rollback', () => {
  it('takes less than a second while backends are down and a worker hangs, and gives every caller its place back', async () => {
    const gateway = await start({ workers: 2 });
    await put(gateway, 1, { weightsBp: { v2: 3_000 } });
    const before = await places(gateway);
    const switched = await runCli(['switch', 'm', 'canary', '--reason', 'green'], { SLUICE_STATE_DIR: stateOf(gateway) });
    expect([switched.code, switched.out]).toEqual([
      0,
      expect.stringMatching(/m, revision 3 on 2 of 2 workers[\s\S]*callers moved: 70\.00 %/),
    ]);
    expect(new Set(await places(gateway))).toEqual(new Set(['v2']));
    await rest.close();
    const [hung] = await workerPids(gateway);
    process.kill(hung!, 'SIGSTOP');
    const beganMs = performance.now();
    const back = await admin<PlanView & { workers: object }>(gateway, 'POST', 'plans/m/rollback', { reason: 'red' });
    const tookMs = performance.now() - beganMs;
    expect(back).toMatchObject({ revision: 4, workers: { acknowledged: 1, total: 2 } });
    expect(tookMs).toBeLessThan(1_000);
    await eventually('the one that hung is replaced', async () => {
      const pids = await workerPids(gateway);
      return pids.length === 2 && !pids.includes(hung!);
    });
    // The canary is gone, and its share goes to stable; all others have their places.
    const after = await places(gateway);
    expect(after.every((variant) => variant === 'v1')).toBe(true);
    expect(weights(await plan(gateway))).toEqual({ v1: 7_000, v2: 3_000 });
    expect(before.filter((variant) => variant === 'v2').length).toBeGreaterThan(0);
    const { revisions } = await admin<HistoryView>(gateway, 'GET', 'plans/m/history');
    expect(revisions.map(({ revision, cause, restores, reason }) => [revision, cause, restores, reason])).toEqual([
      [4, 'rollback', 2, 'red'],
      [3, 'admin', 0, 'green'],
      [2, 'admin', 0, ''],
      [1, 'config', 0, 'the config at the start'],
    ]);
  });

  it('is one command, and the history tells of it', async () => {
    const gateway = await start();
    const cli = (...args: string[]) => runCli(args, { SLUICE_STATE_DIR: stateOf(gateway) });
    await cli('split', 'm', 'canary=30', '--reason', 'first step');
    const planned = await cli('rollback', 'm', '--dry-run');
    expect([planned.code, planned.out]).toEqual([
      0,
      expect.stringContaining('m would go from revision 2 to 3; nothing was changed'),
    ]);
    const back = await cli('rollback', 'm', '--to', '1', '--reason', 'wrong answers');
    expect([back.code, back.out]).toEqual([
      0,
      expect.stringMatching(/^m, revision 3 on 1 of 1 workers\n[\s\S]*v2 +canary +5\.00/),
    ]);
    const past = await cli('history', 'm');
    expect(past.out).toMatch(
      /^m, revision 3\n[\s\S]*3 {2}\S+ +admin-token +rollback to 1 +v1=95\.00 v2=5\.00 +v1 +- +wrong answers\n +2 /,
    );
    const wrong = await cli('rollback', 'm', '--to', '9');
    expect([wrong.code, wrong.err]).toEqual([1, '404: There is no revision 9 of "m"; kept are 1 to 3.\n']);
    expect((await cli('rollback', 'm', '--to', 'x')).code).toBe(64);
  });
});

describe('a pin', () => {
  it('sends a tenant and a header value to their variant, over REST and gRPC, and is kept by the CLI', async () => {
    const gateway = await start();
    const cli = (...args: string[]) => runCli(args, { SLUICE_STATE_DIR: stateOf(gateway) });
    const set = await cli('pins', 'm', 'tenant:beta=canary', 'header:x-cohort:new=v2');
    expect([set.code, set.err, set.out]).toEqual([0, '', expect.stringContaining('pins: tenant:beta=v2 header:x-cohort:new=v2')]);
    await put(gateway, 2, { weightsBp: { v2: 0 } });
    expect(await ask(gateway, {}, 'beta')).toBe('v2');
    expect(await ask(gateway, { 'x-cohort': 'new' })).toBe('v2');
    expect(await ask(gateway, { 'x-cohort': 'old' })).toBe('v1');
    expect(await ask(gateway, { 'x-cohort': 'new', 'x-sluice-variant': 'v1' })).toBe('v1');
    const caller = new GrpcCaller(gateway.grpcAddress, gateway.keys['alpha']!);
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 2] }];
    const message = { model_name: 'm', inputs, raw_input_contents: [Buffer.alloc(8)] };
    const pinned = await caller.call('ModelInfer', message, { 'x-cohort': 'new' });
    expect([pinned.code, pinned.metadata.get('x-sluice-variant')]).toEqual([0, ['v2']]);
    caller.close();
    const removed = await cli('pins', 'm', '--remove', 'tenant:beta');
    expect(removed.out).not.toContain('tenant:beta');
    expect(await ask(gateway, {}, 'beta')).toBe('v1');
    expect((await cli('pins', 'm', '--remove', 'tenant:beta')).err).toContain('m has no pin tenant:beta');
    const refused = await cli('pins', 'm', 'tenant:nobody=v2');
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('found "nobody"; expected a tenant of the config')]);
  });
});

describe('fallbacks', () => {
  it('let an HTTP canary answer for a gRPC stable that is down, where the operator says so', async () => {
    const gateway = await start();
    const cli = (...args: string[]) => runCli(args, { SLUICE_STATE_DIR: stateOf(gateway) });
    await put(gateway, 1, { weightsBp: { v2: 0 } });
    expect(await ask(gateway)).toBe('v1');
    await grpc.close();
    expect(await ask(gateway)).toMatch(/^503/);
    const set = await cli('fallbacks', 'm', 'stable', 'canary', '--reason', 'stable is down');
    expect([set.code, set.out]).toEqual([0, expect.stringContaining('fallbacks: v1, v2')]);
    expect(await places(gateway)).toEqual(new Array(CALLERS).fill('v2'));
    expect((await cli('fallbacks', 'm', 'none')).out).toContain('fallbacks: none');
    expect(await ask(gateway)).toMatch(/^503/);
  });
});
