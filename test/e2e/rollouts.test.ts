import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlanView } from '../../src/core/control-plane.ts';
import type { RolloutView } from '../../src/core/rollout.ts';
import { inferRest } from '../support/clients.ts';
import { grpcVariant, TENANTS } from '../support/configs.ts';
import {
  admin,
  eventually,
  type GatewayUnderTest,
  metric,
  runCli,
  startGateway,
  workerPids,
} from '../support/gateway-under-test.ts';
import { answerOutputs, type OipServer, startOipServer } from '../support/oip-server.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';

const MODEL = {
  name: 'm',
  inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [-1, 2] }],
};
const serve = (mark: number): Promise<OipServer> =>
  startOipServer({
    models: [MODEL],
    onInfer: () =>
      answerOutputs([{ name: 'y', datatype: 'FP32', shape: [1, 2], data: Buffer.from(new Float32Array([mark, 0]).buffer) }]),
  });

let steady: OipServer;
let mortal: OipServer;
let hook: WebhookReceiver;
let state: string;
let gateway: GatewayUnderTest;

const variants = (canary: OipServer): object[] => [
  grpcVariant('v1', 'stable', steady.address, {}, { model: 'm' }),
  grpcVariant('v2', 'canary', canary.address, {}, { model: 'm', probe: { intervalMs: 200 } }),
];
const config = (): Record<string, unknown> => ({
  workers: 2,
  tenants: TENANTS,
  audit: { file: join(state, 'audit.log') },
  rollouts: { webhooks: [{ url: hook.url }], source: '/sluice/test' },
  models: {
    m: { variants: variants(steady), rollout: { lookMs: 100, steps: [1, 10, 50].map((percent) => ({ percent })) } },
    dying: { variants: variants(mortal), rollout: { lookMs: 100, downMs: 500, steps: [{ percent: 50 }] } },
    risky: { variants: variants(steady), riskTier: 'high', rollout: { lookMs: 100, steps: [{ percent: 100 }] } },
  },
});
const start = (): Promise<GatewayUnderTest> => startGateway(config(), { SLUICE_STATE_DIR: state });

beforeAll(async () => {
  [steady, mortal, hook] = await Promise.all([serve(1), serve(2), startWebhookReceiver()]);
  state = mkdtempSync(join(tmpdir(), 'sluice-rollouts-e2e-'));
  gateway = await start();
});

afterAll(async () => {
  expect(await gateway.stop()).toBe(0);
  await Promise.all([steady.close(), mortal.close(), hook.close()]);
  rmSync(state, { recursive: true, force: true });
});

const cli = (...args: string[]): Promise<{ code: number | null; out: string; err: string }> =>
  runCli(args, { SLUICE_ADMIN_URL: gateway.adminUrl, SLUICE_ADMIN_TOKEN: gateway.adminToken });

async function share(model: string): Promise<number> {
  const plan = await admin<PlanView>(gateway, 'GET', `plans/${model}`);
  return plan.variants.find(({ name }) => name === 'v2')!.weightBp;
}

async function latest(model: string): Promise<RolloutView> {
  const { rollouts } = await admin<{ rollouts: readonly RolloutView[] }>(gateway, 'GET', `rollouts?model=${model}`);
  return rollouts[0]!;
}

const ask = (model: string) =>
  inferRest(gateway, {
    key: gateway.keys['alpha']!,
    model,
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [0, 0] }],
  });

const stateOf = async (model: string): Promise<string> => (await latest(model)).state;

describe('a rollout of a real gateway', () => {
  it('is started, promoted and aborted from the command line, and seen in plan, metrics, audit log and webhook', async () => {
    const started = await cli('rollout', 'start', 'm', '--reason', 'new model', '--json');
    expect([started.err, started.code]).toEqual(['', 0]);
    const view = JSON.parse(started.out) as RolloutView & { workers: unknown };
    expect(view).toMatchObject({ state: 'running', step: 0, weightBp: 100, workers: { acknowledged: 2, total: 2 } });
    expect(await share('m')).toBe(100);
    expect(await metric(gateway, 'sluice_rollout_state', { model: 'm', state: 'running' })).toBe(1);
    expect((await cli('rollout', 'start', 'm')).err).toContain(`rollout ${view.id} of "m" is running`);
    expect((await cli('rollout', 'promote', 'm')).out).toContain('step 2 of 3, 10.00 % of the traffic');
    expect(await share('m')).toBe(1_000);
    expect((await cli('rollout', 'status')).out).toContain(view.id);
    expect((await cli('rollout', 'abort', view.id, '--reason', 'complaints')).out).toContain('v2 aborted');
    expect([await share('m'), await stateOf('m')]).toEqual([0, 'aborted']);
    await eventually('all events to come', () => hook.statesOf('m').length === 3);
    expect(hook.statesOf('m')).toEqual(['running', 'running', 'aborted']);
    expect(hook.events[0]).toMatchObject({ specversion: '1.0', type: 'dev.sluice.rollout.transition', id: `${view.id}.1` });
    const audit = readFileSync(join(state, 'audit.log'), 'utf8');
    expect([...audit.matchAll(/"action":"([^"]+)"/g)].map((match) => match[1])).toEqual([
      'rollout.start',
      'plan.change',
      'rollout.advance',
      'plan.change',
      'rollout.abort',
      'plan.change',
    ]);
  });

  it('is rolled back by itself, within seconds, when the server of the canary dies', async () => {
    await admin(gateway, 'POST', 'rollouts', { model: 'dying', reason: 'new model' });
    expect(await share('dying')).toBe(5_000);
    await mortal.close();
    await eventually('the rollback', async () => {
      // Stable answers for it meanwhile.
      expect((await ask('dying')).status).toBe(200);
      return (await stateOf('dying')) === 'rolled-back';
    });
    expect(await share('dying')).toBe(0);
    const last = (await latest('dying')).transitions.at(-1)!;
    expect([last.reason, last.actor]).toEqual([
      expect.stringMatching(/not been ready|errors 100/),
      expect.stringContaining('rollout '),
    ]);
  });

  it('ends where somebody sets the weights by hand', async () => {
    await admin(gateway, 'POST', 'rollouts', { model: 'm' });
    expect((await cli('split', 'm', 'v2=3')).code).toBe(0);
    await eventually('its end', async () => (await stateOf('m')) === 'superseded');
    expect(await share('m')).toBe(300);
    await cli('split', 'm', 'v2=0');
  });

  it('gives a model of high risk all traffic only when two others have approved it', async () => {
    await admin(gateway, 'POST', 'rollouts', { model: 'risky' });
    expect(await latest('risky')).toMatchObject({ state: 'waiting', step: -1, spec: { steps: [{ approvals: 2 }] } });
    const refused = await cli('rollout', 'approve', 'risky');
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('needs the approval of others')]);
    expect((await cli('rollout', 'promote', 'risky')).err).toContain('needs 2 approvals and has 0');
    expect(await share('risky')).toBe(0);
    await cli('rollout', 'abort', 'risky');
  });

  it('keeps its step and share when workers are killed under it', async () => {
    await admin(gateway, 'POST', 'rollouts', { model: 'm' });
    const before = await workerPids(gateway);
    process.kill(before[0]!, 'SIGKILL');
    await eventually('another worker', async () => {
      const now = await workerPids(gateway);
      return now.length === 2 && !now.includes(before[0]!);
    });
    expect([await stateOf('m'), await share('m')]).toEqual(['running', 100]);
    await cli('rollout', 'promote', 'm');
    expect(await share('m')).toBe(1_000);
  });

  it('goes on at its step, with its share, when the whole gateway was killed', async () => {
    const { id, step } = await latest('m');
    expect(step).toBe(1);
    gateway.process.kill('SIGKILL');
    gateway = await start();
    expect(await latest('m')).toMatchObject({ id, state: 'running', step: 1 });
    expect(await share('m')).toBe(1_000);
    await admin(gateway, 'POST', `rollouts/${id}/abort`);
    expect(await share('m')).toBe(0);
  });

  it('is not started where its state cannot be read, and the gateway serves on', async () => {
    const file = join(state, 'rollouts', 'torn.json');
    writeFileSync(file, '{"version":1,');
    await gateway.stop();
    gateway = await start();
    const refused = await cli('rollout', 'start', 'm');
    expect([refused.code, refused.err]).toEqual([69, expect.stringContaining('torn.json holds no rollout')]);
    expect((await fetch(`${gateway.httpUrl}/v2/health/ready`)).status).toBe(200);
    rmSync(file);
    expect((await cli('rollout', 'start', 'm')).code).toBe(0);
  });
});
