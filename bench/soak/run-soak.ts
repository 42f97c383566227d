/**
 * The soak of the HTTP/2 engine: a gateway with it on both sides between callers of three libraries and two model servers, while
 * connections die and servers come and go. After each period everything is let settle, and nothing may be left of it.
 *
 *   callers ── relay ── gateway ─┬─ model server on grpc-js
 *                                └─ model server on our own engine
 */

import { readWorkers } from '../../scripts/demo/admin-reader.ts';
import { Scrape } from '../../scripts/demo/scrape.ts';
import { SluiceProcess } from '../../scripts/demo/sluice-process.ts';
import { BackendProcess } from './backend-process.ts';
import { Chaos } from './chaos.ts';
import type { Caller } from './ending.ts';
import { type Figures, GatewayProbe } from './gateway-figures.ts';
import { Load } from './load.ts';
import { NodeCaller } from './node-caller.ts';
import { OwnStreamCaller, OwnUnaryCaller } from './own-callers.ts';
import { PackageStreamCaller, PackageUnaryCaller } from './package-callers.ts';
import { Relay } from './relay.ts';
import { soakConfig } from './soak-config.ts';

export interface SoakOptions {
  readonly periods: number;
  readonly periodMs: number;
  /** From 0 to 1; the soak takes its chances by it. */
  readonly random: () => number;
  /** Hears what is under way. */
  readonly say: (line: string) => void;
}

/** What there is after a period, with all calls ended. */
export interface Settled {
  /** Calls ever. */
  readonly calls: number;
  readonly figures: Figures;
  /** What the gateway and the backends say is in flight, by name; all of it should be 0. */
  readonly inFlight: Readonly<Record<string, number>>;
}

export interface SoakReport {
  readonly load: Load;
  readonly chaos: ReadonlyMap<string, number>;
  readonly connectionsReset: number;
  /** Before the first caller. */
  readonly before: Figures;
  readonly settled: readonly Settled[];
  /** When the last caller has gone. */
  readonly after: Figures;
  readonly restarts: number;
  readonly bugs: number;
  readonly stopMs: number;
  /** Empty when the gateway ended as it should. */
  readonly stopProblem: string;
}

const SETTLE_LIMIT_MS = 15_000;
const LOOK_MS = 200;
const GAUGES = [
  'sluice_requests_in_flight',
  'sluice_endpoint_in_flight',
  'sluice_body_bytes_in_flight',
  'sluice_offload_queue_length',
];
/** Loops on each connection of a kind, and connections. */
const LOOPS = { unary: 4, stream: 3, node: 3 } as const;
const CONNECTIONS = 2;

export async function runSoak({ periods, periodMs, random, say }: SoakOptions): Promise<SoakReport> {
  const backends = [await BackendProcess.start('grpc-js', 'moody'), await BackendProcess.start('own', 'moody')];
  const probe = new GatewayProbe();
  const config = soakConfig(backends.map(({ address }) => address));
  const sluice = await SluiceProcess.start({ name: 'the gateway of the soak', config, env: probe.env });
  const pid = (await readWorkers(sluice)).find(({ state }) => state === 'serving')!.pid;
  const relay = await Relay.start(Number(sluice.grpcAddress.split(':').at(-1)));
  const options = { address: relay.address, key: sluice.key('soak', 'soak0001'), random };
  const look = (): Promise<Record<string, number>> => readInFlight(sluice, backends);

  await warm(options);
  await settle(look);
  const before = await probe.read(pid);
  const load = new Load(openCallers(options), random);
  const chaos = new Chaos(backends, relay, random);
  const settled: Settled[] = [];
  for (let i = 1; i <= periods; i++) {
    const trouble = chaos.run();
    await Promise.race([load.run(periodMs), sluice.died]);
    chaos.stop();
    await trouble;
    const inFlight = await settle(look);
    settled.push({ calls: load.calls, figures: await probe.read(pid), inFlight });
    say(`period ${i} of ${periods}: ${load.calls} calls, ${load.faults.length} faults`);
  }
  load.close();
  await relay.close();
  await settle(look);
  const after = await probe.read(pid);
  const scrape = await Scrape.of(sluice.adminUrl);
  const beganMs = performance.now();
  const stopProblem = await sluice.stop().then(
    () => '',
    (error: Error) => error.message,
  );
  const stopMs = performance.now() - beganMs;
  for (const backend of backends) backend.stop();
  probe.close();
  return {
    load,
    chaos: chaos.done,
    connectionsReset: relay.killed,
    before,
    settled,
    after,
    restarts: scrape.sum('sluice_worker_restarts_total'),
    bugs: scrape.sum('sluice_faults_total', { code: 'BUG' }),
    stopMs,
    stopProblem,
  };
}

type Options = ConstructorParameters<typeof NodeCaller>[0];

/** Each loop is one caller at a time on a connection that it shares with others. */
function openCallers(options: Options): Caller[] {
  const callers: Caller[] = [];
  for (let i = 0; i < CONNECTIONS; i++) {
    callers.push(
      ...Array<Caller>(LOOPS.unary).fill(new OwnUnaryCaller(options)),
      ...Array<Caller>(LOOPS.stream).fill(new OwnStreamCaller(options)),
      ...Array<Caller>(LOOPS.unary).fill(new PackageUnaryCaller(options)),
      ...Array<Caller>(LOOPS.stream).fill(new PackageStreamCaller(options)),
      ...Array<Caller>(LOOPS.node).fill(new NodeCaller(options)),
    );
  }
  return callers;
}

/** What the first calls of all leave behind for good is no leak. */
async function warm(options: Options): Promise<void> {
  const caller = new OwnUnaryCaller({ ...options, random: () => 0.99 });
  let mark = -1;
  for (let i = 0; i < 20; i++) await caller.ask(() => mark--);
  caller.close();
}

async function readInFlight(sluice: SluiceProcess, backends: readonly BackendProcess[]): Promise<Record<string, number>> {
  const scrape = await Scrape.of(sluice.adminUrl);
  const inFlight: Record<string, number> = {};
  for (const gauge of GAUGES) inFlight[gauge] = scrape.sum(gauge);
  for (const backend of backends) inFlight[`open at the backend on ${backend.engine}`] = await backend.open();
  return inFlight;
}

/** Looks until nothing is in flight, or for as long as the longest call may take. */
async function settle(look: () => Promise<Record<string, number>>): Promise<Record<string, number>> {
  const limit = performance.now() + SETTLE_LIMIT_MS;
  for (;;) {
    const inFlight = await look();
    if (Object.values(inFlight).every((count) => count === 0) || performance.now() > limit) return inFlight;
    await new Promise((done) => setTimeout(done, LOOK_MS));
  }
}
