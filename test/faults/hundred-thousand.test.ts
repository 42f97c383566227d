import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlanView, WorkerView } from '../../src/core/control-plane.ts';
import { GrpcCaller } from '../support/clients.ts';
import { grpcVariant, TENANTS } from '../support/configs.ts';
import { CounterWatch } from '../support/counter-watch.ts';
import { admin, eventually, type GatewayUnderTest, metric, runCli, startGateway } from '../support/gateway-under-test.ts';
import { GrpcMarkedCaller, RestCaller } from '../support/marked-callers.ts';
import { type FailedTry, type Kill, MarkedLoad } from '../support/marked-load.ts';
import { answerAfter, answerEcho, type OipCall, type OipServer, startOipServer } from '../support/oip-server.ts';
import { identityModel } from '../support/onnx-models.ts';
import { socketsOf } from '../support/process-sockets.ts';

/**
 * The least; callers go on until everything was done, which takes a minute and makes it more on a machine that has time. A hundred thousand
 * are for a run by hand.
 */
const REQUESTS = Number(process.env['SOAK_REQUESTS'] ?? 10_000);
const LIMIT_MS = Math.max(300_000, REQUESTS * 12);
const RELOADS = 20;
const BACKEND_MS = 4;
/** A client library that hears of a lost connection says so within this time; one that has not heard may send one more request before. */
const HEARD_MS = 2_000;
/** Above every mark, and exact as FP32: what the guard lets in and what not. */
const LOW_BOUND = 4_000_000;
const PROBE = 5_000_000;
const HIGH_BOUND = 6_000_000;

const MODEL = {
  name: 'm',
  inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [-1, 2] }],
};

/** What the config file says, where it changes. */
interface Settings {
  readonly bound: number;
  readonly timeoutMs: number;
  readonly weight: number;
  readonly withExtra: boolean;
}

const dir = mkdtempSync(join(tmpdir(), 'sluice-soak-'));
/** Who has asked the backend for each request, by its mark. */
const asked = new Map<number, readonly string[]>();
const kills: Kill[] = [];
let settings: Settings = { bound: HIGH_BOUND, timeoutMs: 30_000, weight: 10, withExtra: false };
let server: OipServer;
let gateway: GatewayUnderTest;

beforeAll(async () => {
  writeFileSync(join(dir, 'identity.onnx'), identityModel('FP32', ['n', 2]));
  server = await startOipServer({
    models: [MODEL],
    onInfer: (call, of) => {
      noteBegun(call);
      return answerAfter(BACKEND_MS, answerEcho(call, of));
    },
  });
  gateway = await startGateway(configOf(settings));
});
afterAll(async () => {
  await gateway?.stop();
  await server.close();
  rmSync(dir, { recursive: true });
});

describe('a gateway on which everything is done at once', () => {
  it(
    'fails no request but those that a killed worker had begun, and holds nothing at the end',
    async () => {
      const callers = openCallers();
      const watch = new CounterWatch(gateway);
      const load = new MarkedLoad(callers, {
        atLeast: REQUESTS,
        askedBy: (mark) => asked.get(mark) ?? [],
        mayRepeat: (failed) => failed.cut && !wasBegun(failed) && killOf(failed) !== null,
      });
      await operate(load);
      await load.finish();
      for (const caller of callers) caller.close();
      await watch.stop();

      const unexplained = load.failed.filter((failed) => !failed.cut || killOf(failed) === null);
      expect(unexplained).toEqual([]);
      const lost = load.failed.filter(wasBegun);
      tell(load, lost, watch);
      expect(lost.length).toBeGreaterThan(0);
      expect(load.answered).toBe(load.begun - lost.length);
      expect(load.answered).toBeGreaterThanOrEqual(REQUESTS - lost.length);
      // The gateway asked for nothing twice: a second call is one of a caller that was cut off before the first.
      const lostMarks = new Set(lost.map(({ mark }) => mark));
      const twice = [...asked].filter(([mark, peers]) => peers.length !== 1 && !lostMarks.has(mark));
      expect(twice).toEqual([]);
      expect(watch.falls).toEqual([]);
      await expectPeace();
      expect(await gateway.stop()).toBe(0);
    },
    LIMIT_MS,
  );
});

/** Twelve REST callers and twelve gRPC ones, three to a connection, for the model behind gRPC; four REST ones for the model in the worker. */
function openCallers(): (RestCaller | GrpcMarkedCaller)[] {
  const rest = Array.from({ length: 12 }, () => new RestCaller(gateway, 'm'));
  const onnx = Array.from({ length: 4 }, () => new RestCaller(gateway, 'inside'));
  const channels = Array.from({ length: 4 }, () => new GrpcCaller(gateway.grpcAddress, gateway.keys['alpha']!));
  const grpc = Array.from({ length: 12 }, (_, i) => new GrpcMarkedCaller(channels[i % 4]!));
  return [...rest, ...onnx, ...grpc];
}

/** Everything an operator may do, and what befalls processes, spread over all the requests. */
async function operate(load: MarkedLoad): Promise<void> {
  for (let round = 0; round < RELOADS; round++) {
    await eventually('its share of requests', () => load.begun >= (REQUESTS * round) / RELOADS, LIMIT_MS);
    // Every fifth time a worker is killed while the next ones begin, and every fifth time in peace.
    const [victim] = await Promise.all([round % 5 === 1 ? killSoon() : 0, reload(round)]);
    if (victim !== 0) await replaced(victim);
    if (round % 2 === 0) await shift(round);
    if (round % 5 === 3) await replaced(await kill());
    if (round % 7 === 5) await restart(round);
    if (round % 8 === 4) await refuseConfig();
  }
}

const CHANGES: readonly ((round: number) => Partial<Settings>)[] = [
  () => ({ bound: settings.bound === LOW_BOUND ? HIGH_BOUND : LOW_BOUND }),
  (round) => ({ timeoutMs: 30_000 + round }),
  () => ({ withExtra: !settings.withExtra }),
  () => ({ bound: settings.bound === LOW_BOUND ? HIGH_BOUND : LOW_BOUND }),
  (round) => ({ weight: 10 + round }),
];

/** A change of the file, and the proof that it is in force. */
async function reload(round: number): Promise<void> {
  const change = CHANGES[round % CHANGES.length]!(round);
  settings = { ...settings, ...change };
  const generation = await metric(gateway, 'sluice_config_generation');
  const { revision } = await planOf('m');
  gateway.rewrite(configOf(settings));
  // Weights alone are the same workers' new plan.
  if (change.weight !== undefined) await eventually('the new weights', async () => (await planOf('m')).revision > revision);
  else await eventually('the new workers', async () => (await metric(gateway, 'sluice_config_generation')) > generation);
  expect(await metric(gateway, 'sluice_config_reload_failed')).toBe(0);
  if (change.withExtra !== undefined) {
    expect((await plans()).some(({ model }) => model === 'extra')).toBe(settings.withExtra);
  }
  const caller = new RestCaller(gateway, 'm');
  const { problem } = await caller.ask(PROBE);
  asked.delete(PROBE);
  caller.close();
  if (settings.bound === LOW_BOUND) expect(problem).toContain('GUARD_BLOCKED');
  else expect(problem).toBe('');
}

/** A file that is wrong changes nothing, and is told of until it is right again. */
async function refuseConfig(): Promise<void> {
  const generation = await metric(gateway, 'sluice_config_generation');
  gateway.rewrite({ ...configOf(settings), nonsense: true });
  await eventually('the refusal', async () => (await metric(gateway, 'sluice_config_reload_failed')) === 1);
  expect(await metric(gateway, 'sluice_config_generation')).toBe(generation);
  gateway.rewrite(configOf(settings));
  await eventually('all is well', async () => (await metric(gateway, 'sluice_config_reload_failed')) === 0);
}

async function shift(round: number): Promise<void> {
  const { revision } = await planOf('m');
  const weightsBp = { v2: (round * 3_333) % 10_001 };
  const changed = await admin<{ revision: number; workers: { acknowledged: number; total: number } }>(
    gateway,
    'PUT',
    'plans/m/weights',
    { expectedRevision: revision, weightsBp },
  );
  expect(changed.revision).toBe(revision + 1);
  expect(changed.workers.acknowledged).toBe(changed.workers.total);
}

async function restart(round: number): Promise<void> {
  if (round % 2 === 0) await admin(gateway, 'POST', 'restart');
  else expect(await runCli(['restart'], { SLUICE_STATE_DIR: join(gateway.dir, 'state') })).toMatchObject({ code: 0 });
}

/** While the workers of a changed config load their models. */
async function killSoon(): Promise<number> {
  await new Promise((done) => setTimeout(done, 400));
  return kill();
}

/** Its connections are noted and it is killed in one breath: it stands still meanwhile. */
async function kill(): Promise<number> {
  const pid = (await serving())[0]!;
  process.kill(pid, 'SIGSTOP');
  const sockets = socketsOf(pid);
  process.kill(pid, 'SIGKILL');
  kills.push({ pid, atMs: performance.now(), sockets });
  return pid;
}

/** Two serve, and the one that was killed is none of them. */
const replaced = (victim: number): Promise<void> =>
  eventually('another worker', async () => {
    const pids = await serving();
    return pids.length === 2 && !pids.includes(victim);
  });

function noteBegun(call: OipCall): void {
  const mark = new DataView(call.inputs[0]!.data.buffer, call.inputs[0]!.data.byteOffset).getFloat32(0, true);
  asked.set(mark, [...(asked.get(mark) ?? []), call.peer]);
}

/** The kill that cost a try: of the worker that had asked for it, or that had its connection, or, where neither is known, one that fits. */
function killOf({ port, askedBy, beganMs, endedMs }: FailedTry): Kill | null {
  const near = kills.filter(({ atMs }) => atMs <= endedMs && endedMs <= atMs + HEARD_MS && beganMs <= atMs + HEARD_MS);
  const held = ({ sockets }: Kill): boolean => {
    if (askedBy.length > 0) return askedBy.some((peer) => sockets.some(({ local }) => peer.endsWith(`:${local}`)));
    return port === 0 || sockets.some(({ remote }) => remote === port);
  };
  return near.find(held) ?? null;
}

/** Whether its worker had begun to ask a model. What is in the worker's own process dies with it: nobody can tell. */
function wasBegun(failed: FailedTry): boolean {
  if (failed.caller !== 'REST inside') return failed.askedBy.length > 0;
  const kill = killOf(failed);
  return kill !== null && failed.beganMs < kill.atMs;
}

async function expectPeace(): Promise<void> {
  await eventually('the former workers are gone', async () => (await metric(gateway, 'sluice_workers')) === 2);
  for (const gauge of ['requests_in_flight', 'endpoint_in_flight', 'body_bytes_in_flight']) {
    expect([gauge, await metric(gateway, `sluice_${gauge}`)]).toEqual([gauge, 0]);
  }
  const inFlight = (await plans()).flatMap(({ variants }) => variants.map((variant) => variant.inFlight));
  expect(inFlight.every((count) => count === 0)).toBe(true);
  expect(await serving()).toHaveLength(2);
  const { workers } = await admin<{ workers: readonly WorkerView[] }>(gateway, 'GET', 'workers');
  expect(workers.every(({ ready }) => ready)).toBe(true);
  // Nobody ended but those who were killed.
  expect(await metric(gateway, 'sluice_worker_restarts_total')).toBe(
    await metric(gateway, 'sluice_worker_restarts_total', { reason: 'signal' }),
  );
  expect(await metric(gateway, 'sluice_connections_dropped_total')).toBe(0);
}

/** The list of what was lost, for whoever reads the test's output. */
function tell(load: MarkedLoad, lost: readonly FailedTry[], watch: CounterWatch): void {
  const lines = [
    `${load.begun} requests, ${load.answered} answered, ${lost.length} lost with ${kills.length} killed workers;`,
    `${load.failed.length - lost.length} were cut off before a model was asked, and asked again; ${watch.scrapes} scrapes.`,
    ...lost.map((failed) => {
      const { pid, atMs } = killOf(failed)!;
      const from = failed.askedBy.length > 0 ? failed.askedBy.join(', ') : 'the worker itself';
      const ms = Math.round(atMs - failed.beganMs);
      return `  ${failed.caller} ${failed.mark}: ${failed.problem}; begun ${ms} ms before worker ${pid} was killed; asked by ${from}`;
    }),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function serving(): Promise<readonly number[]> {
  const { workers } = await admin<{ workers: readonly WorkerView[] }>(gateway, 'GET', 'workers');
  return workers.filter(({ state }) => state === 'serving').map(({ pid }) => pid);
}

const plans = async (): Promise<readonly PlanView[]> =>
  (await admin<{ plans: readonly PlanView[] }>(gateway, 'GET', 'plans')).plans;
const planOf = async (model: string): Promise<PlanView> => (await plans()).find((plan) => plan.model === model)!;

function configOf({ bound, timeoutMs, weight, withExtra }: Settings): Record<string, unknown> {
  const inside = { kind: 'onnx', path: join(dir, 'identity.onnx') };
  const extra = { variants: [grpcVariant('v1', 'stable', server.address, {}, { model: 'm' })] };
  return {
    workers: 2,
    tenants: TENANTS,
    telemetry: { logLevel: 'error' },
    shutdown: { idleMs: 2_000 },
    // A machine that is busy with other tests is no fault of this gateway.
    supervision: { acknowledgeTimeoutMs: 20_000, leaseTimeoutMs: 20_000, silenceTimeoutMs: 30_000 },
    overload: { pressure: { loopDelayMs: 60_000 } },
    models: {
      m: {
        timeoutMs,
        guards: { input: [{ kind: 'bounds', name: 'bound', max: bound }] },
        variants: [
          grpcVariant('v1', 'stable', server.address, {}, { adaptive: null }),
          grpcVariant('v2', 'canary', server.address, { weight }, { adaptive: null }),
        ],
      },
      inside: { variants: [{ name: 'v1', role: 'stable', backend: inside }] },
      ...(withExtra ? { extra } : {}),
    },
  };
}
