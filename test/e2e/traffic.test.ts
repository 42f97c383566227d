import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlanView } from '../../src/core/control-plane.ts';
import { GrpcCaller, inferRest } from '../support/clients.ts';
import { grpcVariant, onnxVariant, TENANTS } from '../support/configs.ts';
import { admin, eventually, type GatewayUnderTest, metric, runCli, startGateway } from '../support/gateway-under-test.ts';
import { answerNever, answerOutputs, type OipAnswer, type OipServer, startOipServer } from '../support/oip-server.ts';

const MODEL = {
  name: 'm',
  inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [-1, 2] }],
};
const X = { name: 'x', datatype: 'FP32', shape: [1, 2] };

let steady: OipServer;
let mortal: OipServer;
let hanging: OipServer;
let gateway: GatewayUnderTest;
let alpha: string;

const answerWith = (mark: number): OipAnswer =>
  answerOutputs([{ name: 'y', datatype: 'FP32', shape: [1, 2], data: Buffer.from(new Float32Array([mark, 0]).buffer) }]);

beforeAll(async () => {
  steady = await startOipServer({ models: [MODEL], onInfer: () => answerWith(1) });
  mortal = await startOipServer({ models: [MODEL], onInfer: () => answerWith(2) });
  hanging = await startOipServer({ models: [MODEL], onInfer: () => answerNever });
  const backend = { model: 'm' };
  gateway = await startGateway({
    tenants: TENANTS,
    shadow: { maxQueued: 4, maxInFlight: 2, timeoutMs: 600_000 },
    models: {
      split: {
        variants: [onnxVariant('v1', 'stable', 'digits/v1.onnx'), onnxVariant('v2', 'canary', 'digits/v2.onnx', { weight: 5 })],
      },
      dying: {
        variants: [
          grpcVariant('v1', 'stable', steady.address, {}, backend),
          grpcVariant('v2', 'canary', mortal.address, { weight: 50 }, backend),
        ],
      },
      shadowed: {
        variants: [
          grpcVariant('v1', 'stable', steady.address, {}, backend),
          grpcVariant('v2', 'shadow', hanging.address, { weight: 100 }, backend),
        ],
      },
      hanging: { timeoutMs: 60_000, variants: [grpcVariant('v1', 'stable', hanging.address, {}, backend)] },
      impatient: { timeoutMs: 200, variants: [grpcVariant('v1', 'stable', hanging.address, {}, backend)] },
      compared: {
        variants: [onnxVariant('v1', 'stable', 'digits/v1.onnx'), onnxVariant('v3', 'shadow', 'digits/v3.onnx', { weight: 100 })],
      },
    },
  });
  alpha = gateway.keys['alpha']!;
});

afterAll(async () => {
  expect(await gateway.stop()).toBe(0);
  await Promise.all([steady.close(), mortal.close(), hanging.close()]);
});

const ask = (model: string, headers: Record<string, string> = {}, mark = 0) =>
  inferRest(gateway, { key: alpha, model, inputs: [{ ...X, data: [mark, 0] }], headers });

/** Which variant each sticky key gets, by asking the gateway for each. */
async function placements(keys: number): Promise<string[]> {
  const body = JSON.stringify({
    inputs: [{ name: 'image', datatype: 'FP32', shape: [1, 28, 28], data: new Array(784).fill(0) }],
  });
  const placed = new Array<string>(keys);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < keys; i = next++) {
      const response = await fetch(`${gateway.httpUrl}/v2/models/split/infer`, {
        method: 'POST',
        headers: { authorization: `Bearer ${alpha}`, 'content-type': 'application/json', 'x-sluice-session': `caller-${i}` },
        body,
      });
      await response.arrayBuffer();
      placed[i] = response.headers.get('x-sluice-variant') ?? `${response.status}`;
    }
  };
  await Promise.all(Array.from({ length: 32 }, worker));
  return placed;
}

describe('a weight change through the admin API', () => {
  it('moves the measured share of 10,000 sticky keys and keeps every earlier canary key on the canary', async () => {
    const KEYS = 10_000;
    const before = await placements(KEYS);
    const share = (placed: readonly string[]): number => placed.filter((variant) => variant === 'v2').length / KEYS;
    // Five standard deviations of a binomial share around the weight.
    expect(Math.abs(share(before) - 0.05)).toBeLessThan(5 * Math.sqrt((0.05 * 0.95) / KEYS));
    const plan = await admin<PlanView>(gateway, 'GET', 'plans/split');
    const changed = await admin<PlanView>(gateway, 'PUT', 'plans/split/weights', {
      expectedRevision: plan.revision,
      weightsBp: { v2: 2_000 },
      reason: 'looks good',
    });
    expect(changed.revision).toBe(plan.revision + 1);
    const after = await placements(KEYS);
    expect(Math.abs(share(after) - 0.2)).toBeLessThan(5 * Math.sqrt((0.2 * 0.8) / KEYS));
    const strayed = before.filter((variant, i) => variant === 'v2' && after[i] !== 'v2');
    expect(strayed).toEqual([]);
    expect(gateway.output()).toContain('"action":"plan.change"');
  }, 120_000);

  it('is refused at an old revision, for unknown variants and for sums past everything', async () => {
    const { revision } = await admin<PlanView>(gateway, 'GET', 'plans/split');
    const change = (expectedRevision: number, weightsBp: object) =>
      admin(gateway, 'PUT', 'plans/split/weights', { expectedRevision, weightsBp });
    await expect(change(revision - 1, { v2: 100 })).rejects.toThrow(/409/);
    await expect(change(revision, { v9: 100 })).rejects.toThrow(/422.*v9/);
    await expect(change(revision, { v1: 5_000, v2: 6_000 })).rejects.toThrow(/422/);
    await expect(change(revision, { v2: 1.5 })).rejects.toThrow(/400/);
    await expect(admin(gateway, 'PUT', 'plans/nothing/weights', { expectedRevision: 1, weightsBp: { v2: 1 } })).rejects.toThrow(
      /404/,
    );
    expect((await admin<PlanView>(gateway, 'GET', 'plans/split')).revision).toBe(revision);
  });

  it('can be made by the CLI', async () => {
    const env = { SLUICE_ADMIN_URL: gateway.adminUrl, SLUICE_ADMIN_TOKEN: gateway.adminToken };
    const set = await runCli(['split', 'split', 'stable=99.99', 'canary=0.01'], env);
    expect(set.code, set.err).toBe(0);
    expect(set.out).toMatch(/v2 +canary +0\.01/);
    const wrong = await runCli(['split', 'split', 'canary=0.001'], env);
    expect([wrong.code, wrong.err]).toEqual([64, expect.stringContaining('two decimals')]);
    const stranger = await runCli(['split', 'split'], { ...env, SLUICE_ADMIN_TOKEN: 'wrong' });
    expect(stranger.code).toBe(77);
  });
});

describe('a canary that dies', () => {
  it('costs no failed request while its attempts are counted', async () => {
    const mark = async (i: number) => {
      const answer = await ask('dying', { 'x-sluice-session': `s${i}` });
      expect(answer.status, JSON.stringify(answer.body)).toBe(200);
      return answer.headers.get('x-sluice-variant');
    };
    const alive = await Promise.all(Array.from({ length: 100 }, (_, i) => mark(i)));
    expect(alive.filter((variant) => variant === 'v2').length).toBeGreaterThan(20);
    await mortal.close();
    const dead = await Promise.all(Array.from({ length: 100 }, (_, i) => mark(i)));
    expect(dead.every((variant) => variant === 'v1')).toBe(true);
    // Calls that did not get there, then refusals of its endpoint, then of the variant when its probes fail as well.
    const counted = (code: string) => metric(gateway, 'sluice_backend_attempts_total', { model: 'dying', variant: 'v2', code });
    const failed = (await counted('BACKEND_UNREACHABLE')) + (await counted('NO_VARIANT'));
    expect(failed).toBe(alive.filter((variant) => variant === 'v2').length);
    const plan = await admin<PlanView>(gateway, 'GET', 'plans/dying');
    expect(plan.variants.find((variant) => variant.name === 'v2')!.failures).toBe(failed);
  });
});

describe('a shadow', () => {
  it('that hangs is invisible, while attempts and drops are counted', async () => {
    const started = performance.now();
    for (let i = 0; i < 40; i++) {
      const answer = await ask('shadowed', { 'x-request-id': `sh-${i}` }, i);
      expect(answer.status).toBe(200);
    }
    expect(performance.now() - started).toBeLessThan(20_000);
    await eventually(
      'drops',
      async () => (await metric(gateway, 'sluice_shadow_copies_total', { model: 'shadowed', outcome: 'dropped' })) === 34,
    );
    const plan = await admin<PlanView>(gateway, 'GET', 'plans/shadowed');
    expect(plan.variants.find((variant) => variant.role === 'shadow')).toMatchObject({ attempts: 2, inFlight: 2 });
  });

  it('that answers is compared by argmax', async () => {
    const inputs = [{ name: 'image', datatype: 'FP32', shape: [1, 28, 28], data: new Array(784).fill(0.5) }];
    for (let i = 0; i < 5; i++) await inferRest(gateway, { key: alpha, model: 'compared', inputs });
    const compared = async () =>
      (await metric(gateway, 'sluice_shadow_copies_total', { model: 'compared', outcome: 'agreed' })) +
      (await metric(gateway, 'sluice_shadow_copies_total', { model: 'compared', outcome: 'disagreed' }));
    await eventually('five comparisons', async () => (await compared()) === 5);
  });
});

describe('a client that leaves', () => {
  it('stops the backend call, over REST and over gRPC', async () => {
    const before = hanging.cancels.length;
    const controller = new AbortController();
    const seen = hanging.callCount;
    const rest = fetch(`${gateway.httpUrl}/v2/models/hanging/infer`, {
      method: 'POST',
      signal: controller.signal,
      headers: { authorization: `Bearer ${alpha}`, 'content-type': 'application/json' },
      body: JSON.stringify({ inputs: [{ ...X, data: [1, 2] }] }),
    }).catch(() => null);
    await eventually('the call at the backend', () => hanging.callCount > seen);
    controller.abort();
    await rest;
    await eventually('the cancel at the backend', () => hanging.cancels.length > before);
    const grpc = new GrpcCaller(gateway.grpcAddress, alpha);
    let cancel = (): void => {};
    const call = grpc.call(
      'ModelInfer',
      { model_name: 'hanging', inputs: [X], raw_input_contents: [Buffer.alloc(8)] },
      {},
      (stop) => {
        cancel = stop;
      },
    );
    await eventually('the second call at the backend', () => hanging.callCount > seen + 1);
    cancel();
    expect((await call).code).toBe(1);
    await eventually('the second cancel at the backend', () => hanging.cancels.length > before + 1);
    grpc.close();
    await eventually('no request in flight', async () => (await metric(gateway, 'sluice_requests_in_flight')) === 0);
  });

  it('leaves no attempt behind when its time is over', async () => {
    const answer = await ask('impatient');
    expect(answer.status).toBe(504);
    expect(answer.body['code']).toBe('BACKEND_TIMEOUT');
    const stated = await ask('hanging', { 'x-sluice-timeout-ms': '100' });
    expect(stated.status).toBe(504);
    const plan = await admin<PlanView>(gateway, 'GET', 'plans/impatient');
    await eventually(
      'the call has ended',
      async () => (await admin<PlanView>(gateway, 'GET', 'plans/impatient')).variants[0]!.inFlight === 0,
    );
    expect(plan.variants[0]!.failures).toBe(1);
  });
});
