import { copyFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GrpcCaller } from '../support/clients.ts';
import { grpcVariant, key, TENANTS } from '../support/configs.ts';
import {
  admin,
  eventually,
  type GatewayUnderTest,
  MODEL_DIR,
  metric,
  runCli,
  startGateway,
  workerPids,
} from '../support/gateway-under-test.ts';
import { answerAfter, answerEcho, type OipServer, startOipServer } from '../support/oip-server.ts';
import { askOnce, SteadyLoad } from '../support/steady-load.ts';

const MODEL = {
  name: 'm',
  inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [-1, 2] }],
};
/** How soon a worker that was killed has to be back. */
const BACK_MS = 2_000;

let server: OipServer;
let gateway: GatewayUnderTest | null = null;
beforeEach(async () => {
  server = await startOipServer({ models: [MODEL], onInfer: (call, of) => answerAfter(10, answerEcho(call, of)) });
});
afterEach(async () => {
  await gateway?.stop();
  gateway = null;
  await server.close();
});

const config = (more: object = {}) => ({
  workers: 2,
  tenants: TENANTS,
  models: {
    m: { variants: [grpcVariant('v1', 'stable', server.address), grpcVariant('v2', 'canary', server.address, { weight: 0 })] },
  },
  ...more,
});
const open = async (more: object = {}): Promise<GatewayUnderTest> => {
  gateway = await startGateway(config(more));
  return gateway;
};
const serving = workerPids;
/** Answers to so many requests, each on a connection of its own, so that every worker has its share. */
const answers = async (of: GatewayUnderTest, count: number): Promise<readonly string[]> => {
  const found = new Set<string>();
  for (let i = 0; i < count; i++) found.add(await askOnce(of));
  return [...found];
};

describe('a worker that is killed', () => {
  it('costs no more than what was in flight on it, and is back soon, every time', async () => {
    // Each one counts as the first: waits that double are another matter.
    const of = await open({ supervision: { healthyAfterMs: 1 } });
    const load = SteadyLoad.overHttp(of, 8);
    const backMs: number[] = [];
    for (let round = 1; round <= 5; round++) {
      const [victim] = await serving(of);
      process.kill(victim!, 'SIGKILL');
      const killedMs = performance.now();
      await eventually('another is in its place', async () => {
        const pids = await serving(of);
        return pids.length === 2 && !pids.includes(victim!);
      });
      backMs.push(performance.now() - killedMs);
      // Each client had one request in flight at most; whoever was with the other worker noticed nothing.
      const failed = load.total - (load.outcomes.get('200 v1') ?? 0);
      expect(failed).toBeLessThanOrEqual(round * 8);
      expect([...load.outcomes.keys()].every((outcome) => ['200 v1', 'ECONNRESET'].includes(outcome))).toBe(true);
    }
    // The middle one of five: a start takes half a second of CPU, and this machine may be busy with other things.
    expect(backMs.sort((a, b) => a - b)[2]).toBeLessThan(BACK_MS);
    const outcomes = await load.stop();
    expect(outcomes['200 v1']).toBeGreaterThan(100);
    expect(await metric(of, 'sluice_worker_restarts_total', { reason: 'signal' })).toBe(5);
  });

  it('refuses nobody even when it was the only one: connections wait for the next', async () => {
    const of = await open({ workers: 1 });
    const [victim] = await serving(of);
    process.kill(victim!, 'SIGKILL');
    expect(await answers(of, 5)).toEqual(['200 v1']);
  });

  it('takes no count with it that was scraped, and none that its orderly end has told', async () => {
    const of = await open();
    await answers(of, 20);
    const requests = (): Promise<number> => metric(of, 'sluice_requests_total');
    await eventually('all are counted', async () => (await requests()) === 20);
    const [victim] = await serving(of);
    process.kill(victim!, 'SIGKILL');
    let last = 20;
    await eventually('it is replaced', async () => {
      const now = await requests();
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
      return (await serving(of)).length === 2;
    });
    await answers(of, 10);
    await admin(of, 'POST', 'restart');
    expect(await requests()).toBe(30);
    const { usage } = await admin<{ usage: readonly { requests: number }[] }>(of, 'GET', 'usage');
    expect(usage.reduce((sum, row) => sum + row.requests, 0)).toBe(30);
  });
});

describe('a supervisor that is killed', () => {
  it('takes its workers with it', async () => {
    const of = await open();
    const pids = await serving(of);
    of.process.kill('SIGKILL');
    await eventually('they are gone', () => pids.every((pid) => !isAlive(pid)));
    gateway = null;
  });

  it('leaves nothing behind that would keep the next one from its ports', async () => {
    const of = await open();
    const pids = await serving(of);
    const ports = [of.httpUrl, `http://${of.grpcAddress}`, of.adminUrl].map((url) => Number(new URL(url).port));
    const [http, grpc, adminPort] = ports.map((port) => ({ port }));
    const exited = new Promise((done) => of.process.once('exit', done));
    of.process.kill('SIGKILL');
    await exited;
    await eventually('its workers are gone', () => pids.every((pid) => !isAlive(pid)));
    const next = await open({ listen: { http, grpc, admin: adminPort } });
    expect([next.httpUrl, next.grpcAddress]).toEqual([of.httpUrl, of.grpcAddress]);
    expect(await answers(next, 4)).toEqual(['200 v1']);
  });
});

describe('a change on the admin port', () => {
  it('is in force in every worker when it is answered', async () => {
    const of = await open({ workers: 4 });
    for (const weight of [10_000, 0, 10_000]) {
      const { plans } = await admin<{ plans: readonly { revision: number }[] }>(of, 'GET', 'plans');
      const { revision } = plans[0]!;
      const changed = await admin(of, 'PUT', 'plans/m/weights', { expectedRevision: revision, weightsBp: { v2: weight } });
      expect(changed).toMatchObject({ revision: revision + 1, workers: { acknowledged: 4, total: 4 } });
      expect(await answers(of, 8)).toEqual([weight === 0 ? '200 v1' : '200 v2']);
    }
    const shown = await runCli(['split', 'm', 'v2=0'], { SLUICE_STATE_DIR: join(of.dir, 'state') });
    expect(shown.out).toContain('m, revision 5 on 4 of 4 workers');
  });

  it('revokes a key in every worker at once, and for good', async () => {
    const of = await open();
    expect(await answers(of, 4)).toEqual(['200 v1']);
    const beganMs = performance.now();
    const done = await runCli(['keys', 'revoke', 'alpha001', '--reason', 'leaked'], { SLUICE_STATE_DIR: join(of.dir, 'state') });
    expect(done).toMatchObject({ code: 0, out: 'key alpha001 revoked on 2 of 2 workers\n' });
    expect(await answers(of, 6)).toEqual(['401 KEY_UNKNOWN']);
    expect(performance.now() - beganMs).toBeLessThan(5_000);
    const file = join(of.dir, 'state', 'revoked-keys.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const [victim] = await serving(of);
    process.kill(victim!, 'SIGKILL');
    expect(await answers(of, 6)).toEqual(['401 KEY_UNKNOWN']);
    await admin(of, 'POST', 'restart');
    expect(await answers(of, 6)).toEqual(['401 KEY_UNKNOWN']);
    const unknown = await runCli(['keys', 'revoke', 'nobody00'], { SLUICE_STATE_DIR: join(of.dir, 'state') });
    expect(unknown).toMatchObject({ code: 1, err: expect.stringContaining('There is no key') });
  });
});

describe('limits of a tenant', () => {
  it('hold for all workers together', async () => {
    const tenants = [{ id: 'alpha', rate: { requestsPerSecond: 0.001, burst: 12 }, keys: [key('alpha001')] }];
    const of = await open({ workers: 3, tenants });
    const found: string[] = [];
    for (let i = 0; i < 30; i++) found.push(await askOnce(of));
    expect(found.filter((outcome) => outcome === '200 v1')).toHaveLength(12);
    expect(found.filter((outcome) => outcome === '429 RATE_LIMITED')).toHaveLength(18);
  });
});

describe('sluice restart', () => {
  it('replaces every worker under load without losing a request', async () => {
    const of = await open({ shutdown: { idleMs: 1_000 } });
    const load = SteadyLoad.overHttp(of, 8);
    const before = await serving(of);
    for (let round = 0; round < 2; round++) {
      const done = await runCli(['restart'], { SLUICE_STATE_DIR: join(of.dir, 'state') });
      expect(done).toMatchObject({ code: 0, out: `generation ${round + 2} on 2 of 2 workers\n` });
    }
    await eventually('the old ones are gone', () => before.every((pid) => !isAlive(pid)));
    const outcomes = await load.stop();
    expect(Object.keys(outcomes)).toEqual(['200 v1']);
    expect(outcomes['200 v1']).toBeGreaterThan(100);
    expect(await metric(of, 'sluice_worker_restarts_total')).toBe(0);
  });

  it('loses no gRPC call either', async () => {
    const of = await open();
    const callers = Array.from({ length: 4 }, () => new GrpcCaller(of.grpcAddress, of.keys['alpha']!));
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 2], raw: Buffer.alloc(8) }];
    const load = new SteadyLoad(8, async (client) => {
      const { code, details } = await callers[client % 4]!.infer('m', inputs);
      return `${code} ${details}`.trim();
    });
    await admin(of, 'POST', 'restart');
    await admin(of, 'POST', 'restart');
    const outcomes = await load.stop();
    for (const caller of callers) caller.close();
    expect(Object.keys(outcomes)).toEqual(['0']);
    expect(outcomes['0']).toBeGreaterThan(50);
  });

  it('changes nothing when the new workers cannot begin', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'sluice-models-'));
    const path = join(dir, 'v1.onnx');
    copyFileSync(join(MODEL_DIR, 'digits/v1.onnx'), path);
    const digits = { variants: [{ name: 'v1', role: 'stable', backend: { kind: 'onnx', path } }] };
    const of = await open({ models: { ...config().models, digits } });
    const before = await serving(of);
    writeFileSync(path, 'no model any more');
    const done = await runCli(['restart'], { SLUICE_STATE_DIR: join(of.dir, 'state') });
    expect(done).toMatchObject({ code: 69, err: expect.stringMatching(/former workers go on[\s\S]*v1\.onnx does not load/) });
    await eventually('the log line', () => of.output().includes('workers not replaced; the former ones go on'));
    expect(await serving(of)).toEqual(before);
    expect(await answers(of, 4)).toEqual(['200 v1']);
    rmSync(dir, { recursive: true });
  });
});

describe('a changed config file', () => {
  it('is taken over under load without losing a request, and weights set by hand stay unless it has new ones', async () => {
    const of = await open({ shutdown: { idleMs: 1_000 } });
    const load = SteadyLoad.overHttp(of, 4);
    await admin(of, 'PUT', 'plans/m/weights', { expectedRevision: 1, weightsBp: { v2: 10_000 } });
    const models = { ...config().models, other: { variants: [grpcVariant('v1', 'stable', server.address, {}, { model: 'm' })] } };
    of.rewrite(config({ models }));
    const plans = async (): Promise<readonly { model: string; revision: number }[]> =>
      (await admin<{ plans: readonly { model: string; revision: number }[] }>(of, 'GET', 'plans')).plans;
    await eventually('the new model', async () => (await plans()).some(({ model }) => model === 'other'));
    expect(await answers(of, 4)).toEqual(['200 v2']);
    expect((await plans()).find(({ model }) => model === 'm')).toMatchObject({ revision: 2 });
    const variants = [grpcVariant('v1', 'stable', server.address), grpcVariant('v2', 'canary', server.address, { weight: 1 })];
    of.rewrite(config({ models: { m: { variants } } }));
    await eventually('the new weights', async () => (await plans()).every(({ model }) => model === 'm'));
    expect((await plans())[0]).toMatchObject({ revision: 3 });
    expect(Object.keys(await load.stop()).sort()).toEqual(['200 v1', '200 v2']);
  });

  it('needs no new workers for new weights', async () => {
    const of = await open();
    const before = await serving(of);
    const variants = [grpcVariant('v1', 'stable', server.address), grpcVariant('v2', 'canary', server.address, { weight: 100 })];
    of.rewrite(config({ models: { m: { variants } } }));
    await eventually('the reload', () => of.output().includes('config reloaded'));
    expect(await answers(of, 6)).toEqual(['200 v2']);
    expect(await serving(of)).toEqual(before);
    process.kill(before[0]!, 'SIGKILL');
    await eventually('it is replaced', async () => (await serving(of)).length === 2);
    expect(await answers(of, 6)).toEqual(['200 v2']);
  });

  it('gives a worker that comes later the newest weights, whatever file its generation began with', async () => {
    const of = await open();
    const reloads = (): number => of.output().split('config reloaded').length - 1;
    const canary = (weight: number): object => ({
      m: {
        timeoutMs: 29_000,
        variants: [grpcVariant('v1', 'stable', server.address), grpcVariant('v2', 'canary', server.address, { weight })],
      },
    });
    of.rewrite(config({ models: canary(0) }));
    await eventually('new workers', () => reloads() === 1);
    of.rewrite(config({ models: canary(100) }));
    await eventually('new weights', () => reloads() === 2);
    await eventually('two workers', async () => (await serving(of)).length === 2);
    const before = await serving(of);
    for (const pid of before) process.kill(pid, 'SIGKILL');
    await eventually('others in their place', async () => {
      const pids = await serving(of);
      return pids.length === 2 && pids.every((pid) => !before.includes(pid));
    });
    expect(await answers(of, 6)).toEqual(['200 v2']);
  });

  it('is refused as a whole when anything in it is wrong, and the last good one stays', async () => {
    const of = await open();
    const before = await serving(of);
    const refused = async (what: string, write: () => void, word: string): Promise<void> => {
      write();
      await eventually(what, () => of.output().includes(word));
      await eventually('the metric', async () => (await metric(of, 'sluice_config_reload_failed')) === 1);
      expect(await serving(of)).toEqual(before);
    };
    await refused('an unknown key', () => of.rewrite(config({ nonsense: true })), 'unknown key');
    await refused('no YAML', () => writeFileSync(join(of.dir, 'config.yaml'), '{{'), 'not YAML');
    await refused('another state folder', () => of.rewrite(config({ stateDir: 'elsewhere' })), 'restart the gateway for this');
    await refused(
      'no such file',
      () =>
        of.rewrite(
          config({
            tenants: [
              { id: 'a', keys: [key('a0000001', {})] },
              { id: 'b', keys: [{ id: 'b0000001', secret: { file: 'none' } }] },
            ],
          }),
        ),
      'none cannot be read',
    );
    expect(of.output()).toMatch(/"action":"config.refused"/);
    of.rewrite(config());
    await eventually('all is well', async () => (await metric(of, 'sluice_config_reload_failed')) === 0);
    await eventually('the log line', () => of.output().includes('config is the one in force again'));
    of.process.kill('SIGHUP');
    await eventually('SIGHUP replaces the workers', async () => {
      const now = await serving(of);
      return now.length === 2 && now.every((pid) => !before.includes(pid));
    });
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
