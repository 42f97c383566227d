/** `npm run bench:workers`: what a second worker process adds. */

import { parseArgs } from 'node:util';
import { SluiceProcess } from '../scripts/demo/sluice-process.ts';
import { untilReady } from '../scripts/demo/until-ready.ts';
import { table } from '../src/cli/terminal.ts';
import { config as schema } from '../src/config/schema.ts';
import { benchConfig, modelFor, TENANT } from './bench-config.ts';
import { questions } from './bodies.ts';
import { Companion } from './companion.ts';
import { GeneratorProcess } from './load/generator-process.ts';
import type { LoadReport } from './load/load-order.ts';

const COUNTS = [1, 2];
const DEADLINE_MS = 1_000;
const WARM_SECONDS = 2;
const USAGE = 'node bench/workers.ts [--seconds N] [--rate REQUESTS_A_SECOND] [--connections N] [--waits]';

const OPTIONS = {
  seconds: { type: 'string' },
  rate: { type: 'string' },
  connections: { type: 'string' },
  waits: { type: 'boolean' },
} as const;

interface Load {
  readonly seconds: number;
  readonly perSecond: number;
  readonly maxConnections: number;
  readonly waits: boolean;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

try {
  await main();
} catch (error) {
  console.error(`The benchmark failed: ${(error as Error).message}`);
  // Whatever still runs is ended on the way out.
  process.exit(1);
}

async function main(): Promise<void> {
  if (!Object.hasOwn(schema.shape, 'workers')) {
    throw new Error(
      'found no config key "workers" in this version of Sluice, which serves from one process; expected one that has it.',
    );
  }
  const { values } = parseArgs({ options: OPTIONS });
  const load = {
    seconds: Number(values.seconds ?? '5'),
    perSecond: Number(values.rate ?? '20000'),
    maxConnections: Number(values.connections ?? '256'),
    waits: values.waits === true,
  };
  if (!(load.seconds >= 1 && load.seconds <= 60 && load.perSecond >= 1 && load.maxConnections >= 1))
    throw new Error(`Usage: ${USAGE}`);
  const rows: (readonly [number, LoadReport])[] = [];
  for (const count of COUNTS) rows.push([count, await measure(count, load)]);
  const first = rows[0]![1].good;
  const head = [
    'workers',
    'asked/s',
    'good/s',
    'of one',
    'p50 ms',
    'p99 ms',
    'late',
    'lost',
    'unsent',
    'sent late p50',
    'p99',
    'gen CPU %',
  ];
  console.log(
    `\n${table(
      head,
      rows.map(([count, report]) => [
        String(count),
        load.perSecond.toFixed(0),
        ((report.good * 1000) / report.elapsedMs).toFixed(0),
        (report.good / first).toFixed(2),
        report.admittedMs.p50.toFixed(1),
        report.admittedMs.p99.toFixed(1),
        ...[report.late, report.lost, report.unsent].map(String),
        report.lateSendMs.p50.toFixed(1),
        report.lateSendMs.p99.toFixed(1),
        report.cpuPercent.toFixed(0),
      ]),
    )}\n`,
  );
}

/**
 * Nothing is pinned: who gives workers cores and takes the load's away measures the pinning. A request that finds no connection free is
 * lost: in a queue of the generator it would grow older than its deadline before the gateway sees it. `--waits` shows that.
 */
async function measure(workers: number, load: Load): Promise<LoadReport> {
  const backend = await Companion.start('./fixed-oip-server.ts', { launcher: [], answers: {} });
  const config = { ...benchConfig(`127.0.0.1:${backend.port}`), workers };
  const gateway = await SluiceProcess.start({ name: `the gateway with ${workers} workers`, config });
  await Promise.race([untilReady(gateway), gateway.died]);
  const generator = new GeneratorProcess([]);
  const { json } = questions().small;
  const order = {
    port: Number(new URL(gateway.httpUrl).port),
    request:
      `POST /v2/models/${modelFor('cache', 'small')}/infer HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
      `Authorization: Bearer ${gateway.key(TENANT.id, TENANT.keyId)}\r\nContent-Length: ${json.length}\r\n\r\n${json}`,
    arrival: 'constant',
    perSecond: load.perSecond,
    seed: 1,
    deadlineMs: DEADLINE_MS,
    maxConnections: load.maxConnections,
    waits: load.waits,
  } as const;
  await Promise.race([generator.run({ ...order, seconds: WARM_SECONDS }), gateway.died]);
  const report = await Promise.race([generator.run({ ...order, seconds: load.seconds }), gateway.died]);
  generator.stop();
  await gateway.stop();
  backend.stop();
  return report;
}
