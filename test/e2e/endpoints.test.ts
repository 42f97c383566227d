import { afterEach, describe, expect, it } from 'vitest';
import type { BackendView } from '../../src/core/control-plane.ts';
import type { EndpointView } from '../../src/core/endpoints.ts';
import { inferRest } from '../support/clients.ts';
import { TENANTS } from '../support/configs.ts';
import { admin, eventually, type GatewayUnderTest, metric, startGateway } from '../support/gateway-under-test.ts';
import { echo, startOipHttpServer } from '../support/oip-http-server.ts';
import { answerAfter, answerBytes, answerEcho, answerNever, type OipModel, startOipServer } from '../support/oip-server.ts';
import { answer, answerNever as httpNever } from '../support/scripted-http-server.ts';

/** One variant over two servers, of which one fails in every way that servers fail. */

const MODEL: OipModel = {
  name: 'm',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 2] }],
};
const OTHER: OipModel = { ...MODEL, outputs: [{ name: 'z', datatype: 'FP32', shape: [-1, 2] }] };

type Mood = 'well' | 'slow' | 'hanging' | 'garbled' | 'lying';

/** A server whose mood a test changes, and that can die and come back at the same port. */
interface Server {
  readonly endpoint: string;
  mood: Mood;
  /** Inferences ever. */
  calls(): number;
  die(): Promise<void>;
  revive(): Promise<void>;
}

/** What a server takes that is there to be second choice: calls one after another go to the other one. */
const SLOW_MS = 100;

const floats = (...values: number[]): Buffer => Buffer.from(new Float32Array(values).buffer);
const lie = { name: 'y', datatype: 'FP32', shape: [1, 3], data: floats(1, 2, 3) };

async function grpcServer(model = MODEL): Promise<Server> {
  const begin = (port?: number) =>
    startOipServer({
      models: [model],
      ...(port === undefined ? {} : { port }),
      onInfer: (call, of) => {
        calls++;
        if (server.mood === 'hanging') return answerNever;
        if (server.mood === 'garbled') return answerBytes(Buffer.from('garbage'));
        if (server.mood === 'lying') return { is: 'outputs', outputs: [lie] };
        return answerAfter(server.mood === 'slow' ? SLOW_MS : 0, answerEcho(call, of));
      },
    });
  let calls = 0;
  let running = await begin();
  const { port, address } = running;
  const server: Server = {
    endpoint: address,
    mood: 'well',
    calls: () => calls,
    die: () => running.close(),
    revive: async () => {
      running = await begin(port);
    },
  };
  return server;
}

async function httpServer(model = MODEL): Promise<Server> {
  const begin = (port?: number) =>
    startOipHttpServer({
      models: [model],
      ...(port === undefined ? {} : { port }),
      onInfer: (call, of) => {
        calls++;
        if (server.mood === 'hanging') return httpNever;
        if (server.mood === 'garbled') return answer(200, 'garbage');
        if (server.mood === 'lying') return answer(200, JSON.stringify({ outputs: [] }));
        return new Promise((done) => setTimeout(done, server.mood === 'slow' ? SLOW_MS : 0, echo(call, of)));
      },
    });
  let calls = 0;
  let running = await begin();
  const { port, url } = running;
  const server: Server = {
    endpoint: url,
    mood: 'well',
    calls: () => calls,
    die: () => running.close(),
    revive: async () => {
      running = await begin(port);
    },
  };
  return server;
}

const opened: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function scene(kind: 'grpc' | 'http', servers: readonly Server[], more: object = {}): Promise<GatewayUnderTest> {
  for (const server of servers) opened.push(() => server.die());
  const endpoints = servers.map((server) => server.endpoint);
  const backend = { kind, endpoints, model: 'm', slowStartMs: 0, probe: { intervalMs: 300, recoveryMs: 200 }, ...more };
  const gateway = await startGateway({
    tenants: TENANTS,
    models: { m: { timeoutMs: 400, variants: [{ name: 'v1', role: 'stable', backend }] } },
  });
  opened.push(() => gateway.stop());
  return gateway;
}

/** A gateway whose endpoints are all in use. */
async function warmScene(kind: 'grpc' | 'http', servers: readonly Server[], more: object = {}): Promise<GatewayUnderTest> {
  const gateway = await scene(kind, servers, more);
  await eventually('all endpoints are warm', async () => (await views(gateway)).every(({ state }) => state === 'healthy'));
  return gateway;
}

async function views(gateway: GatewayUnderTest): Promise<readonly EndpointView[]> {
  const { backends } = await admin<{ backends: readonly BackendView[] }>(gateway, 'GET', 'backends');
  return backends[0]!.endpoints;
}

const stateOf = async (gateway: GatewayUnderTest, server: Server): Promise<string | undefined> =>
  (await views(gateway)).find(({ endpoint }) => endpoint === server.endpoint)?.state;

const ask = (gateway: GatewayUnderTest) =>
  inferRest(gateway, {
    key: gateway.keys['alpha']!,
    model: 'm',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }],
  });

/** Statuses of so many requests, one after another. */
async function statuses(gateway: GatewayUnderTest, count: number): Promise<number[]> {
  const found: number[] = [];
  for (let i = 0; i < count; i++) found.push((await ask(gateway)).status);
  return found;
}

/** Statuses of so many requests at the same time. */
const burst = async (gateway: GatewayUnderTest, count: number): Promise<number[]> =>
  (await Promise.all(Array.from({ length: count }, () => ask(gateway)))).map(({ status }) => status);

const failures = (found: readonly number[]): number => found.filter((status) => status !== 200).length;

const isReady = async (gateway: GatewayUnderTest): Promise<boolean> =>
  (await fetch(`${gateway.httpUrl}/v2/models/m/ready`, { headers: { authorization: `Bearer ${gateway.keys['alpha']}` } })).ok;

const SERVERS = { grpc: grpcServer, http: httpServer } as const;
/** Failures in a row that eject, as config has it by default. */
const THRESHOLD = 3;

describe.each(['grpc', 'http'] as const)('two %s endpoints behind one variant', (kind) => {
  it('share the calls', async () => {
    const servers = [await SERVERS[kind](), await SERVERS[kind]()] as const;
    const gateway = await warmScene(kind, servers);
    for (let i = 0; i < 10; i++) expect(failures(await burst(gateway, 16))).toBe(0);
    for (const server of servers) expect(server.calls()).toBeGreaterThan(16);
  });

  it('cost no more failures than it takes to notice when one refuses connections, and share again when it is back', async () => {
    const [mortal, steady] = [await SERVERS[kind](), await SERVERS[kind]()];
    steady.mood = 'slow';
    const gateway = await warmScene(kind, [mortal, steady]);
    await statuses(gateway, 10);
    await mortal.die();
    expect(failures(await statuses(gateway, 20))).toBeLessThanOrEqual(THRESHOLD);
    // Its probes fail, so not even one call goes there to find out.
    expect(failures(await statuses(gateway, 20))).toBe(0);
    expect(await metric(gateway, 'sluice_endpoint_healthy', { endpoint: mortal.endpoint })).toBe(0);
    expect(await metric(gateway, 'sluice_endpoint_healthy', { endpoint: steady.endpoint })).toBe(1);
    expect(await isReady(gateway)).toBe(true);
    await mortal.revive();
    const revivedMs = performance.now();
    await eventually('the endpoint is back', async () => {
      expect(failures(await statuses(gateway, 2))).toBe(0);
      return (await stateOf(gateway, mortal)) === 'healthy';
    });
    expect(performance.now() - revivedMs).toBeLessThan(5_000);
    const before = mortal.calls();
    expect(failures(await statuses(gateway, 20))).toBe(0);
    expect(mortal.calls()).toBeGreaterThan(before);
  });

  it.each(['hanging', 'garbled', 'lying'] as const)('eject one that is %s, and take it back when it is well', async (mood) => {
    const [moody, steady] = [await SERVERS[kind](), await SERVERS[kind]()];
    // Long enough for the second half of the test to see nothing of the first try on probation.
    steady.mood = 'slow';
    const gateway = await warmScene(kind, [moody, steady], { ejection: { baseMs: 3_000 } });
    moody.mood = mood;
    const ejected = async (): Promise<boolean> => (await stateOf(gateway, moody)) === 'ejected';
    // One that hangs looks slow after its first call, and is asked again only when the other one is busy.
    const together = mood === 'hanging' ? 8 : 1;
    let failed = 0;
    await eventually('the ejection', async () => {
      failed += failures(await burst(gateway, together));
      return ejected();
    });
    expect(failed).toBeGreaterThanOrEqual(THRESHOLD);
    expect(failed).toBeLessThan(THRESHOLD + together);
    expect(failures(await statuses(gateway, 10))).toBe(0);
    const reason = 'consecutive_failures';
    expect(await metric(gateway, 'sluice_endpoint_ejections_total', { model: 'm', variant: 'v1', reason })).toBe(1);
    moody.mood = 'well';
    await eventually('the endpoint is back', async () => {
      expect(failures(await statuses(gateway, 1))).toBe(0);
      return (await stateOf(gateway, moody)) === 'healthy';
    });
  });
});

describe('one endpoint alone', () => {
  it.each(['grpc', 'http'] as const)(
    'is a circuit: refused at once while it is dead, not ready, and back by itself (%s)',
    async (kind) => {
      const server = await SERVERS[kind]();
      const gateway = await warmScene(kind, [server]);
      expect((await ask(gateway)).status).toBe(200);
      await server.die();
      expect((await statuses(gateway, 10)).every((status) => status === 503)).toBe(true);
      const startedMs = performance.now();
      await statuses(gateway, 10);
      expect(performance.now() - startedMs).toBeLessThan(1_000);
      await eventually('the model is not ready', async () => !(await isReady(gateway)));
      const { backends } = await admin<{ backends: readonly BackendView[] }>(gateway, 'GET', 'backends');
      expect(backends[0]).toMatchObject({ readiness: 'lost', live: false });
      expect(backends[0]!.reason).toContain(server.endpoint);
      await server.revive();
      const revivedMs = performance.now();
      await eventually('it answers', async () => (await ask(gateway)).status === 200);
      expect(performance.now() - revivedMs).toBeLessThan(5_000);
      expect(await isReady(gateway)).toBe(true);
    },
  );
});

describe('an endpoint with another signature', () => {
  it('is kept out, and told of', async () => {
    const [right, wrong] = [await grpcServer(), await grpcServer(OTHER)];
    // Whoever answers first is right, so the other one is not there yet.
    await wrong.die();
    const gateway = await scene('grpc', [right, wrong]);
    await wrong.revive();
    await eventually('the other is looked at', async () => (await stateOf(gateway, wrong)) === 'mismatched');
    expect((await views(gateway)).find(({ state }) => state === 'mismatched')!.reason).toContain('"z" FP32');
    await eventually('the log line', () => gateway.output().includes('"endpoint kept out"'));
    expect(failures(await statuses(gateway, 20))).toBe(0);
    expect(wrong.calls()).toBe(0);
  });
});
