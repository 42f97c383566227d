import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkerView } from '../../src/core/control-plane.ts';
import { GrpcCaller } from '../support/clients.ts';
import { type Face, FaultScene, type Told } from '../support/fault-scene.ts';
import { admin, eventually, metric, preloading } from '../support/gateway-under-test.ts';
import { answerEcho } from '../support/oip-server.ts';

const UNAVAILABLE = 14;
const MIB = 1_048_576;
const BODY_BYTES = 8 * MIB;
/** A gateway at rest takes well under half of it. */
const LIMIT_BYTES = 384 * MIB;
const MOST_BODIES = LIMIT_BYTES / BODY_BYTES;
const RECOVERY_LIMIT_MS = 30_000;
const ROW_BYTES = 8;
const BODY = {
  model_name: 'grpc',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [BODY_BYTES / ROW_BYTES, 2] }],
  raw_input_contents: [Buffer.alloc(BODY_BYTES)],
};

const TENANTS = [
  {
    id: 'alpha',
    rate: { requestsPerSecond: 1_000_000, burst: 1_000_000 },
    maxInFlightBytes: 8 * LIMIT_BYTES,
    keys: [{ id: 'alpha001', secret: { generate: true } }],
  },
];

const start = (pressure: object, env: Readonly<Record<string, string>> = {}): Promise<FaultScene> =>
  FaultScene.start({
    env,
    model: { timeoutMs: 60_000, maxRows: BODY_BYTES, cache: { ttlMs: 600_000 } },
    config: {
      tenants: TENANTS,
      workers: 1,
      limits: { maxInFlightBytes: 8 * LIMIT_BYTES },
      overload: { pressure: { memoryLimitBytes: LIMIT_BYTES, ...pressure } },
    },
  });

/** Idle connections are closed, which a client may find out only when it uses one. */
async function ask(scene: FaultScene, face: Face): Promise<Told> {
  for (let tries = 1; ; tries++) {
    try {
      return await scene.ask(face, 'http');
    } catch (error) {
      if (tries === 5) throw error;
    }
  }
}

/** Calls that reach the backend when the same is asked for twice. */
async function callsForTwo(scene: FaultScene, face: Face): Promise<number> {
  const calls = scene.calls('http');
  for (let i = 0; i < 2; i++) expect((await scene.ask(face, 'http')).code).toBe('OK');
  return scene.calls('http') - calls;
}

describe('a gateway that is short of memory', () => {
  let scene: FaultScene;
  beforeAll(async () => {
    scene = await start({});
  });
  afterAll(async () => expect(await scene.stop()).toBe(0));

  it('refuses new work with a time to wait, ends what it has, and takes work again', async () => {
    expect(await callsForTwo(scene, 'rest')).toBe(1);
    const caller = new GrpcCaller(scene.gateway.grpcAddress, scene.key);
    // A body is held for as long as its answer is waited for.
    let release = (): void => undefined;
    const released = new Promise<void>((done) => (release = done));
    scene.behave({ grpc: (call, model) => released.then(() => answerEcho(call, model)) });
    const calls = scene.calls('grpc');
    const held: Promise<{ readonly code: number }>[] = [];
    for (const face of ['rest', 'grpc'] as const) {
      let told = await ask(scene, face);
      while (told.code === 'OK' && held.length < MOST_BODIES) {
        held.push(caller.call('ModelInfer', BODY));
        // Memory is looked at four times a second; a body that is refused is never seen by the backend.
        await new Promise((done) => setTimeout(done, 500));
        told = await ask(scene, face);
      }
      expect([told.code, told.status], told.text).toEqual(['OVERLOADED', face === 'rest' ? 503 : UNAVAILABLE]);
      expect(Number(told.retryAfter)).toBeGreaterThan(0);
    }
    release();
    const codes = (await Promise.all(held)).map(({ code }) => code);
    caller.close();
    expect(codes.filter((code) => code === 0)).toHaveLength(scene.calls('grpc') - calls);
    await scene.heal();
    await eventually('work is taken again', async () => (await ask(scene, 'rest')).code === 'OK', RECOVERY_LIMIT_MS);
    await scene.idle();
  });
});

describe('a gateway that begins to be short of memory', () => {
  let scene: FaultScene;
  beforeAll(async () => {
    scene = await start({ noNewEntriesPercent: 1, noIdlePercent: 100, noNewWorkPercent: 100 });
  });
  afterAll(async () => expect(await scene.stop()).toBe(0));

  it('keeps no new answers in its cache, and serves on', async () => {
    await eventually('memory has been looked at', async () => (await metric(scene.gateway, 'sluice_pressure_level')) === 1);
    expect([await callsForTwo(scene, 'rest'), await callsForTwo(scene, 'grpc')]).toEqual([2, 2]);
  });
});

/** Allocators give large buffers back to the system at once, and small ones hardly ever. */
const GARBAGE: readonly (readonly [string, number])[] = [
  ['large', 8 * MIB],
  ['small', 65_536],
];

describe.each(GARBAGE)('a gateway whose memory was full of %s buffers', (_what, bytes) => {
  let scene: FaultScene;
  beforeAll(async () => {
    scene = await start({}, { ...preloading('preload-garbage.ts'), SLUICE_TEST_GARBAGE_BYTES: String(bytes) });
  });
  afterAll(async () => expect(await scene.stop()).toBe(0));

  it('takes work again though it allocates nothing that would have them collected', async () => {
    const { workers } = await admin<{ workers: readonly WorkerView[] }>(scene.gateway, 'GET', 'workers');
    process.kill(workers[0]!.pid, 'SIGUSR2');
    await eventually('work is refused', () => scene.gateway.output().includes('"level":3,"reason":"memory"'), RECOVERY_LIMIT_MS);
    await eventually(
      'work is taken again',
      async () => (await metric(scene.gateway, 'sluice_pressure_level')) < 3,
      RECOVERY_LIMIT_MS,
    );
    expect((await ask(scene, 'rest')).code).toBe('OK');
    expect((await ask(scene, 'grpc')).code).toBe('OK');
  });
});
