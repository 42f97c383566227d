/** `npm run bench:overload`: what callers get when more is asked than the backend can do. */

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SluiceProcess } from '../scripts/demo/sluice-process.ts';
import { untilReady } from '../scripts/demo/until-ready.ts';
import { table } from '../src/cli/terminal.ts';
import { TENANT } from './bench-config.ts';
import { Companion } from './companion.ts';
import { GeneratorProcess } from './load/generator-process.ts';
import { overloadChart } from './load/overload-chart.ts';
import { type Bench, CAPACITY, DEADLINE_MS, type OverloadRow, offer, SERVERS, SERVICE_MS } from './load/overload-step.ts';
import { readMachine, readSoftware } from './machine.ts';
import { type Pinning, pin } from './pinning.ts';

const FACTORS = [0.5, 0.8, 1, 1.2, 1.5, 2, 3, 5];
const WARM_SECONDS = 2;
/** Between two steps, for what the last has left behind. */
const PAUSE_MS = 500;
/** Above so much of its core the generator measures itself. */
const GENERATOR_LIMIT_PERCENT = 70;
const USAGE = 'node bench/overload.ts [--seconds N] [--name NAME]';

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

try {
  await main();
} catch (error) {
  console.error(`The benchmark failed: ${(error as Error).message}`);
  // Whatever still runs is ended on the way out.
  process.exit(1);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { seconds: { type: 'string' }, name: { type: 'string' } } });
  const seconds = Number(values.seconds ?? '5');
  if (!(seconds >= 1 && seconds <= 60))
    throw new Error(`--seconds: found "${values.seconds}"; expected 1 to 60.\nUsage: ${USAGE}`);
  const machine = readMachine();
  const software = readSoftware();
  const pinning = pin();
  const rows = await measure(pinning, seconds);
  const lines = [
    `Sluice ${software} on ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}. Load average before: ${machine.loadBefore}.`,
    `Backend: ${SERVERS} servers of ${SERVICE_MS} ms, so ${CAPACITY} requests a second. Deadline ${DEADLINE_MS} ms. Poisson arrivals, ${seconds} s a step.`,
    '',
    tableOf(rows),
  ];
  console.log(`\n${lines.join('\n')}\n\n${warningOf(rows)}`);
  const name = `overload-${values.name ?? new Date().toISOString().slice(0, 10)}`;
  const place = (ending: string): string => fileURLToPath(new URL(`results/${name}.${ending}`, import.meta.url));
  writeFileSync(place('json'), `${JSON.stringify({ software, machine, seconds, capacity: CAPACITY, rows }, rounded, 2)}\n`);
  writeFileSync(place('svg'), overloadChart(rows, `Answers within ${DEADLINE_MS} ms a second; the backend can do ${CAPACITY}`));
  console.log(`Written to ${place('json')} and ${place('svg')}`);
}

async function measure(pinning: Pinning, seconds: number): Promise<OverloadRow[]> {
  const answers = { servers: String(SERVERS), serviceMs: String(SERVICE_MS) };
  const backend = await Companion.start('./load/timed-server.ts', { launcher: pinning.load, answers });
  const gateway = await SluiceProcess.start({
    name: 'the gateway under test',
    config: configOf(backend.port),
    launcher: pinning.server,
  });
  await Promise.race([untilReady(gateway), gateway.died]);
  const generator = new GeneratorProcess(pinning.load);
  const bench: Bench = { gateway, backend, generator, key: gateway.key(TENANT.id, TENANT.keyId) };
  await Promise.race([offer(bench, 0.5, WARM_SECONDS), gateway.died]);
  const rows: OverloadRow[] = [];
  for (const factor of FACTORS) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    const row = await Promise.race([offer(bench, factor, seconds), gateway.died]);
    console.log(`${factor} times the capacity: ${row.goodput.toFixed(0)} good answers a second of ${CAPACITY * factor} asked`);
    rows.push(row);
  }
  generator.stop();
  await gateway.stop();
  backend.stop();
  return rows;
}

function configOf(port: number): Readonly<Record<string, unknown>> {
  const backend = { kind: 'http', endpoints: [`http://127.0.0.1:${port}`], maxConnections: 1_024 };
  return {
    tenants: [
      {
        id: TENANT.id,
        rate: { requestsPerSecond: 1_000_000, burst: 1_000_000 },
        maxInFlight: 4_096,
        keys: [{ id: TENANT.keyId, secret: { generate: true } }],
      },
    ],
    models: { timed: { timeoutMs: 5_000, variants: [{ name: 'v1', role: 'stable', backend }] } },
    telemetry: { accessLog: false },
  };
}

function tableOf(rows: readonly OverloadRow[]): string {
  const head = [
    'offered',
    'asked/s',
    'good/s',
    'late',
    'refused',
    'failed',
    'lost',
    'admitted p50',
    'p99 ms',
    'refusal p50',
    'p99 ms',
    'calls/admitted',
    'send p99 late',
    'gen CPU %',
  ];
  const figures = (row: OverloadRow): number[] => [row.admittedMs.p50, row.admittedMs.p99, row.refusedMs.p50, row.refusedMs.p99];
  return table(
    head,
    rows.map((row) => [
      `${row.factor}×`,
      (CAPACITY * row.factor).toFixed(0),
      row.goodput.toFixed(0),
      ...[row.late, row.refused, row.failed, row.lost].map(String),
      ...figures(row).map((ms) => (ms === 0 ? '-' : ms.toFixed(1))),
      row.amplification.toFixed(2),
      row.lateSendMs.p99.toFixed(1),
      row.cpuPercent.toFixed(0),
    ]),
  );
}

function warningOf(rows: readonly OverloadRow[]): string {
  const full = rows.filter((row) => row.cpuPercent > GENERATOR_LIMIT_PERCENT);
  if (full.length === 0) return 'The generator had room on its core in every step.';
  return `In ${full.length} steps the generator used more than ${GENERATOR_LIMIT_PERCENT} % of its core: those rows say more about it than about the gateway.`;
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toFixed(3)) : value;
}
