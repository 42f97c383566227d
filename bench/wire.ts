/**
 * `npm run bench:wire`: what a gRPC call costs the gateway, against nginx that merely passes it on, in one run: the server under test alone on
 * one core, load and backend on another, rounds alternating, medians. Both engines are measured, so that before and after stand side by side.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readWorkers } from '../scripts/demo/admin-reader.ts';
import { Scrape } from '../scripts/demo/scrape.ts';
import { SluiceProcess } from '../scripts/demo/sluice-process.ts';
import { table } from '../src/cli/terminal.ts';
import { questions } from './bodies.ts';
import { canReadCpuTime, readCpuTime } from './cpu-time.ts';
import { readMachine, readSoftware } from './machine.ts';
import { pin } from './pinning.ts';
import { ANSWERS, callOf, SERVICE } from './wire/fixed-answers.ts';
import { runH2load } from './wire/h2load.ts';
import { type Nginx, startFixedBackend, startPassingPeer } from './wire/nginx.ts';
import { policiesDigest, type WireModel, wireConfig } from './wire/wire-config.ts';

const USAGE = 'npm run bench:wire -- [--rows grpc,hit] [--engines own,grpc-js] [--rounds N] [--calls N] [--name NAME]';
const CONNECTIONS = 4;
const STREAMS = 16;
const LEAST_OF_PEER = 0.99;
const ALL_ENGINES = ['own', 'grpc-js'] as const;
type Engine = (typeof ALL_ENGINES)[number];

/** A row of the table: what it must not exceed, and what is aimed at, as shares of nginx's CPU time. */
interface Row {
  /** On the command line. */
  readonly id: string;
  readonly name: string;
  readonly model: WireModel;
  readonly limit: number;
  readonly aim: number;
}

const ALL_ROWS: readonly Row[] = [
  { id: 'grpc', name: 'gRPC predict to a gRPC backend', model: 'passed', limit: 0.6, aim: 0.35 },
  { id: 'hit', name: 'gRPC predict, cache hit', model: 'cached', limit: 0.4, aim: 0.25 },
];

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    calls: { type: 'string', default: '30000' },
    name: { type: 'string', default: 'wire' },
    rows: { type: 'string', default: ALL_ROWS.map(({ id }) => id).join(',') },
    engines: { type: 'string', default: ALL_ENGINES.join(',') },
  },
});
const [rounds, calls] = [Number(values.rounds), Number(values.calls)];
const ROWS = ALL_ROWS.filter(({ id }) => values.rows.split(',').includes(id));
const ENGINES = ALL_ENGINES.filter((engine) => values.engines.split(',').includes(engine));
if (!(rounds >= 1 && calls >= 1_000 && ROWS.length > 0 && ENGINES.length > 0)) throw new Error(`Usage: ${USAGE}`);
if (!canReadCpuTime) throw new Error('CPU time is read from /proc, which only Linux has.');
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const pinning = pin();
const machine = readMachine();
const dir = mkdtempSync(join(tmpdir(), 'sluice-wire-'));
process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
const backend = await startFixedBackend(ANSWERS, pinning.load);
const peer = await startPassingPeer(backend.port, pinning.server);
const gateways = new Map<Engine, Gateway>();
for (const engine of ENGINES) gateways.set(engine, await startGateway(engine));

const costs = new Map<string, number[]>();
const note = (who: string, us: number): void => void costs.set(who, [...(costs.get(who) ?? []), us]);
// The first round warms everybody up.
for (let round = 0; round <= rounds; round++) {
  for (const row of ROWS) {
    for (const engine of ENGINES) {
      const us = await measureGateway(gateways.get(engine)!, row);
      if (round > 0) note(`${row.name} ${engine}`, us);
    }
  }
  const us = await measurePeer(peer);
  if (round > 0) note('nginx', us);
  console.error(round === 0 ? 'warm' : `round ${round} of ${rounds}`);
}
await report();
for (const { sluice } of gateways.values()) await sluice.stop();
peer.stop();
backend.stop();
process.exit(process.exitCode ?? 0);

interface Gateway {
  readonly sluice: SluiceProcess;
  readonly port: number;
  /** The supervisor and its workers. */
  readonly pids: readonly number[];
  readonly key: string;
}

async function startGateway(engine: Engine): Promise<Gateway> {
  const config = wireConfig(`127.0.0.1:${backend.port}`, engine);
  const sluice = await SluiceProcess.start({ name: `the gateway on ${engine}`, config, launcher: pinning.server });
  const workers = await readWorkers(sluice);
  const port = Number(sluice.grpcAddress.split(':').at(-1));
  return { sluice, port, pids: [sluice.pid, ...workers.map(({ pid }) => pid)], key: sluice.key('bench', 'bench001') };
}

/** CPU microseconds a call. Throws where the gateway's own counts do not say that each was answered as it should be. */
async function measureGateway({ sluice, port, pids, key }: Gateway, { model, name }: Row): Promise<number> {
  const bodyFile = join(dir, `${model}.bin`);
  writeFileSync(bodyFile, callOf(model, questions().small));
  const headers = { 'content-type': 'application/grpc', te: 'trailers', authorization: `Bearer ${key}` };
  const load = { port, path: `${SERVICE}/ModelInfer`, bodyFile, headers, connections: CONNECTIONS, streams: STREAMS };
  const before = await Scrape.of(sluice.adminUrl);
  const startUs = cpuOf(pids);
  const { answered } = await runH2load({ ...load, calls }, pinning.load);
  const us = (cpuOf(pids) - startUs) / calls;
  const after = await Scrape.of(sluice.adminUrl);
  const grown = (metric: string, labels: Readonly<Record<string, string>>): number =>
    after.sum(metric, { model, ...labels }) - before.sum(metric, { model, ...labels });
  const good = grown('sluice_requests_total', { outcome: 'ok', face: 'grpc' });
  const done =
    model === 'cached'
      ? grown('sluice_cache_requests_total', { result: 'hit' })
      : grown('sluice_backend_attempts_total', { code: 'OK' });
  // The first question of a cached model goes to the backend, in the round that does not count.
  const missing = model === 'cached' && before.sum('sluice_requests_total', { model }) === 0 ? 64 : 0;
  if (answered !== calls || good !== calls || done < calls - missing) {
    throw new Error(
      `${name}: offered ${calls}, h2load counts ${answered}, the gateway ${good} good and ${done} ${model}; the row is void.`,
    );
  }
  return us;
}

async function measurePeer({ port, workerPid }: Nginx): Promise<number> {
  const bodyFile = join(dir, 'passed.bin');
  const headers = { 'content-type': 'application/grpc', te: 'trailers' };
  const startUs = cpuOf([workerPid]);
  const { answered } = await runH2load(
    { port, path: `${SERVICE}/ModelInfer`, bodyFile, headers, calls, connections: CONNECTIONS, streams: STREAMS },
    pinning.load,
  );
  // Of the frames that one nginx sends behind an early answer the other now and then takes one for a fault, and answers 502.
  if (answered < calls * LEAST_OF_PEER) throw new Error(`nginx answered ${answered} of ${calls} calls; the row is void.`);
  return (cpuOf([workerPid]) - startUs) / calls;
}

function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + readCpuTime(pid, -1).processUs, 0);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

async function report(): Promise<void> {
  const nginx = median(costs.get('nginx')!);
  const rows = ROWS.flatMap(({ name, limit, aim }) =>
    ENGINES.map((engine) => {
      const ours = median(costs.get(`${name} ${engine}`)!);
      return { name, engine, oursUs: ours, peer: 'nginx grpc_pass', peerUs: nginx, ratio: ours / nginx, limit, aim };
    }),
  );
  const cells = rows.map((row) => [
    row.name,
    row.engine,
    row.oursUs.toFixed(1),
    row.peerUs.toFixed(1),
    row.ratio.toFixed(2),
    String(row.limit),
    String(row.aim),
  ]);
  console.log(table(['row', 'engine', 'ours us', 'nginx us', 'ratio', 'must be', 'aim'], cells));
  const file = new URL(`results/${values.name}.json`, import.meta.url);
  mkdirSync(new URL('.', file), { recursive: true });
  const results = {
    time: new Date().toISOString(),
    software: readSoftware(),
    machine,
    rounds,
    calls,
    inFlight: CONNECTIONS * STREAMS,
    policies: policiesDigest(),
    rows,
  };
  writeFileSync(
    file,
    `${JSON.stringify(results, (_key, value: unknown) => (typeof value === 'number' ? Number(value.toFixed(3)) : value), 2)}\n`,
  );
  if (rows.some(({ engine, ratio, limit }) => engine === 'own' && ratio > limit)) process.exitCode = 1;
}
