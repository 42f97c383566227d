import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ComparisonView, DisagreementsView, PairComparisonView } from '../../src/core/comparison.ts';
import { GrpcCaller, inferRest } from '../support/clients.ts';
import { grpcVariant, TENANTS } from '../support/configs.ts';
import { admin, eventually, type GatewayUnderTest, metric, runCli, startGateway } from '../support/gateway-under-test.ts';
import { echo, jsonOutputs, type OipHttpServer, startOipHttpServer } from '../support/oip-http-server.ts';
import { answerEcho, type OipServer, startOipServer } from '../support/oip-server.ts';

const MODEL = {
  name: 'm',
  inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [-1, 2] }],
};
const ASKED = 40;
const PRICE = { version: 'test', perRequestUsd: 0.000_001 };

let right: OipServer;
let wrong: OipHttpServer;
let gateway: GatewayUnderTest;
let grpc: GrpcCaller;

beforeAll(async () => {
  right = await startOipServer({ models: [MODEL], onInfer: answerEcho });
  // Confuses the two classes whenever the first number is even.
  wrong = await startOipHttpServer({
    models: [MODEL],
    onInfer: (call) => {
      const x = call.inputs[0]!;
      const values = new Float32Array(x.data.buffer.slice(x.data.byteOffset, x.data.byteOffset + 8));
      if (values[0]! % 2 !== 0) return echo(call, MODEL);
      return jsonOutputs([{ ...x, name: 'y', data: Buffer.from(new Float32Array([values[1]!, values[0]!]).buffer) }]);
    },
  });
  const server = { kind: 'http', endpoints: [wrong.url], model: 'm' };
  const stable = grpcVariant('v1', 'stable', right.address, { price: PRICE }, { model: 'm' });
  gateway = await startGateway({
    workers: 2,
    tenants: TENANTS,
    models: {
      mirrored: {
        comparison: { mirrorPercent: 100, tensors: 'values' },
        variants: [stable, { name: 'v2', role: 'canary', weight: 50, backend: server, price: PRICE }],
      },
      shadowed: {
        comparison: { keep: 5 },
        variants: [stable, { name: 'dark', role: 'shadow', weight: 100, backend: server }],
      },
    },
  });
  grpc = new GrpcCaller(gateway.grpcAddress, gateway.keys['alpha']!);
  await eventually('every variant ready', async () => {
    const { plans } = await admin<{ plans: { variants: { readiness: string }[] }[] }>(gateway, 'GET', 'plans');
    return plans.every(({ variants }) => variants.every(({ readiness }) => readiness === 'ready'));
  });
});
afterAll(async () => {
  grpc.close();
  expect(await gateway.stop()).toBe(0);
  await Promise.all([right.close(), wrong.close()]);
});

/** Half over REST, half over gRPC; the first number counts up, the second is far below. */
async function askAll(model: string): Promise<void> {
  for (let i = 0; i < ASKED; i++) {
    const values = [i + 100, 1];
    if (i % 4 < 2) {
      const key = gateway.keys['alpha']!;
      const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: values }];
      expect((await inferRest(gateway, { key, model, inputs })).status).toBe(200);
    } else {
      const raw = Buffer.from(new Float32Array(values).buffer);
      expect((await grpc.infer(model, [{ name: 'x', datatype: 'FP32', shape: [1, 2], raw }])).code).toBe(0);
    }
  }
}

const pairOf = async (model: string): Promise<PairComparisonView | undefined> =>
  (await admin<ComparisonView>(gateway, 'GET', `models/${model}/comparison`)).pairs[0];

/** Once as many pairs as requests have been compared. */
async function compared(model: string): Promise<PairComparisonView> {
  let pair: PairComparisonView | undefined;
  await eventually('every pair compared', async () => {
    pair = await pairOf(model);
    return pair !== undefined && pair.agreement.of === ASKED;
  });
  return pair!;
}

describe('a canary beside stable', () => {
  it('is compared on its requests and on those of stable, and nobody is billed for it', async () => {
    await askAll('mirrored');
    const pair = await compared('mirrored');
    expect(pair).toMatchObject({ variant: 'v2', role: 'canary', agreed: 20, disagreed: 20, incomparable: 0, dropped: 0 });
    expect(pair.agreement).toMatchObject({ share: 0.5 });
    expect(pair.copies.toVariant.of + pair.copies.toStable.of).toBe(ASKED);
    // Split by half, so that both ways are there but for one chance in 10^11.
    expect(Math.min(pair.copies.toVariant.of, pair.copies.toStable.of)).toBeGreaterThan(0);
    const y = pair.outputs[0]!;
    expect(y).toMatchObject({ output: 'y', pairs: ASKED, argmax: { count: 20, of: ASKED } });
    expect(y.drift).toMatchObject({ psi: 0, stableScores: ASKED, variantScores: ASKED });
    expect(y.maxDifference).toBe(137);
    expect(pair.latencyRatio.count).toBe(ASKED);
    expect(pair.costDifferenceNano).toMatchObject({ count: ASKED, mean: 0 });
    const { usage } = await admin<{ usage: { model: string; requests: number; cost: string }[] }>(gateway, 'GET', 'usage');
    const booked = usage.filter(({ model }) => model === 'mirrored');
    expect(booked.reduce((sum, { requests }) => sum + requests, 0)).toBe(ASKED);
    expect(booked.reduce((sum, { cost }) => sum + Number(cost), 0)).toBe(ASKED * 1_000);
    expect(await metric(gateway, 'sluice_mirror_copies_total', { variant: 'v2', outcome: 'disagreed' })).toBe(20);
    expect(await metric(gateway, 'sluice_comparison_agreement', { model: 'mirrored', variant: 'v2' })).toBe(0.5);
  });

  it('shows the answers that disagreed, their values to those alone who ask where they need the right', async () => {
    const path = 'models/mirrored/disagreements';
    const all = await admin<DisagreementsView>(gateway, 'GET', path);
    expect([all.seen, all.disagreements.length]).toEqual([20, 20]);
    const bare = all.disagreements[0]!;
    expect(bare).toMatchObject({
      tenant: 'alpha',
      variant: 'v2',
      kind: 'argmax',
      output: 'y',
      stableArgmax: 0,
      variantArgmax: 1,
    });
    expect([bare.inputs[0]!.base64, bare.inputs[0]!.sha256.length]).toEqual(['', 64]);
    const values = await admin<DisagreementsView>(gateway, 'GET', `${path}/values?variant=v2`);
    const full = values.disagreements[0]!;
    const numbers = (base64: string): number[] => [...new Float32Array(new Uint8Array(Buffer.from(base64, 'base64')).buffer)];
    const [first, second] = numbers(full.inputs[0]!.base64);
    expect(numbers(full.stableOutputs[0]!.base64)).toEqual([first, second]);
    expect(numbers(full.variantOutputs[0]!.base64)).toEqual([second, first]);
    await expect(admin(gateway, 'GET', `${path}?variant=v9`)).rejects.toThrow('404');
    await expect(admin(gateway, 'GET', 'models/none/comparison')).rejects.toThrow('404');
  });

  it('is shown by the CLI', async () => {
    const env = { SLUICE_ADMIN_URL: gateway.adminUrl, SLUICE_ADMIN_TOKEN: gateway.adminToken };
    const shown = await runCli(['compare', 'mirrored'], env);
    expect([shown.code, shown.err]).toEqual([0, '']);
    expect(shown.out).toMatch(/v2 +canary +40 +0 +0 +50\.00 +35\.20-64\.80/);
    expect(shown.out).toMatch(/v2 +y +40 +50\.00/);
    const json = await runCli(['compare', 'mirrored', '--json'], env);
    expect((JSON.parse(json.out) as ComparisonView).pairs[0]!.agreed).toBe(20);
    const differing = await runCli(['compare', 'mirrored', '--disagreements'], env);
    expect(differing.out).toContain('20 of 20 disagreements');
    expect(differing.out).toMatch(/0 → 1 in row 0/);
    expect((await runCli(['compare'], env)).code).toBe(64);
    expect((await runCli(['compare', 'none'], env)).code).toBe(1);
  });
});

describe('a shadow beside stable', () => {
  it('is compared in the same way, and keeps no more disagreements than it may', async () => {
    await askAll('shadowed');
    const pair = await compared('shadowed');
    expect(pair).toMatchObject({ variant: 'dark', role: 'shadow', agreed: 20, disagreed: 20 });
    expect(pair.copies.toStable.of).toBe(0);
    const kept = await admin<DisagreementsView>(gateway, 'GET', 'models/shadowed/disagreements');
    expect([kept.seen, kept.disagreements.length]).toEqual([20, 5]);
    expect(await metric(gateway, 'sluice_shadow_copies_total', { model: 'shadowed', outcome: 'disagreed' })).toBe(20);
  });
});
