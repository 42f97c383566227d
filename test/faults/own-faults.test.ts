import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GrpcCaller, inferRest } from '../support/clients.ts';
import { TENANTS } from '../support/configs.ts';
import { FaultScene } from '../support/fault-scene.ts';
import {
  eventually,
  type GatewayUnderTest,
  metric,
  preloading,
  startGateway,
  workerPids,
} from '../support/gateway-under-test.ts';
import { lookupModel } from '../support/onnx-models.ts';

const ROWS = 64;
/** Rows of the table in the model; an index past it makes the run throw. */
const TABLE = 3;

describe('a model in this process that throws on some input', () => {
  let dir: string;
  let gateway: GatewayUnderTest;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'sluice-throws-'));
    const path = join(dir, 'lookup.onnx');
    writeFileSync(path, lookupModel());
    const backend = { kind: 'onnx', path, batching: { maxRows: ROWS, maxDelayUs: 20_000 } };
    gateway = await startGateway({
      tenants: TENANTS,
      models: { lookup: { variants: [{ name: 'v1', role: 'stable', backend }] } },
    });
  });
  afterAll(async () => {
    expect(await gateway.stop()).toBe(0);
    rmSync(dir, { recursive: true });
  });

  it('fails for those callers alone, while all who shared their run get their answers', async () => {
    const key = gateway.keys['alpha']!;
    const grpc = new GrpcCaller(gateway.grpcAddress, key);
    const indexOf = (i: number): number => (i % 8 === 5 ? TABLE + i : i % TABLE);
    const told = await Promise.all(
      Array.from({ length: ROWS }, async (_, i) => {
        if (i % 2 === 0) {
          const raw = Buffer.alloc(8);
          raw.writeBigInt64LE(BigInt(indexOf(i)));
          return (await grpc.infer('lookup', [{ name: 'x', datatype: 'INT64', shape: [1], raw }])).code === 0;
        }
        const inputs = [{ name: 'x', datatype: 'INT64', shape: [1], data: [indexOf(i)] }];
        const { status, body } = await inferRest(gateway, { key, model: 'lookup', inputs });
        // What the runtime said names rows of others.
        expect(JSON.stringify(body)).not.toContain('out of data bounds');
        return status === 200;
      }),
    );
    expect(told).toEqual(Array.from({ length: ROWS }, (_, i) => indexOf(i) < TABLE));
    const runs = await metric(gateway, 'sluice_batch_rows_count', { model: 'lookup' });
    const rows = await metric(gateway, 'sluice_batch_rows_sum', { model: 'lookup' });
    expect(rows / runs, 'rows a run').toBeGreaterThan(1);
    grpc.close();
  });
});

describe('a promise that rejects and that nobody hears', () => {
  it('ends its worker with the reason in the log, rather than leave it in a state that nobody knows, and another takes its place', async () => {
    const scene = await FaultScene.start({ env: preloading('preload-rejection.ts') });
    expect((await scene.ask('rest', 'http')).code).toBe('OK');
    const [before] = await workerPids(scene.gateway);
    process.kill(before!, 'SIGUSR2');
    await eventually('another worker', async () => {
      const [pid] = await workerPids(scene.gateway);
      return pid !== undefined && pid !== before;
    });
    expect(scene.gateway.output()).toMatch(/unhandled rejection.*nobody hears this/);
    expect(await metric(scene.gateway, 'sluice_worker_restarts_total', { reason: 'crash' })).toBe(1);
    expect((await scene.ask('rest', 'http')).code).toBe('OK');
    expect(await scene.stop()).toBe(0);
  });
});
