/**
 * `npm run bench:wire`: what a request costs the gateway, beside servers and clients that do less, in one run: what is measured alone on one
 * core, load and backend on another, the sides of a row in turn, medians. The rows are in wire/rows.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readMachine, readSoftware } from './machine.ts';
import { pin } from './pinning.ts';
import { ANSWERS } from './wire/fixed-answers.ts';
import { startFixedBackend } from './wire/nginx.ts';
import { readWireOptions, type WireOptions } from './wire/options.ts';
import { missed, save, tableOf } from './wire/results.ts';
import { type Row, type RowResult, VoidRow, type WireRun } from './wire/row.ts';
import { CLIENT_ROW } from './wire/rows/client-row.ts';
import { GROWTH_ROWS } from './wire/rows/growth-rows.ts';
import { GRPC_ROWS } from './wire/rows/grpc-rows.ts';
import { LATENCY_ROW } from './wire/rows/latency-row.ts';
import { REST_ROW } from './wire/rows/rest-row.ts';

const ROWS: readonly Row[] = [...GRPC_ROWS, CLIENT_ROW, REST_ROW, LATENCY_ROW, ...GROWTH_ROWS];

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

try {
  if (process.platform !== 'linux') throw new Error('CPU time is read from /proc, which only Linux has.');
  await main(
    readWireOptions(
      process.argv.slice(2),
      ROWS.map(({ id }) => id),
    ),
  );
  process.exit(process.exitCode ?? 0);
} catch (error) {
  console.error(`The benchmark failed: ${(error as Error).message}`);
  // Whatever still runs is ended on the way out.
  process.exit(1);
}

async function main(options: WireOptions): Promise<void> {
  const machine = readMachine();
  const pinning = pin();
  const dir = mkdtempSync(join(tmpdir(), 'sluice-wire-'));
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
  const backend = await startFixedBackend(ANSWERS, pinning.load);
  const { engines, rounds, calls } = options;
  const results: RowResult[] = [];
  for (const row of ROWS.filter(({ id }) => options.rows.includes(id))) {
    const say = (text: string): void => console.error(`${row.id}: ${text}`);
    results.push(...(await resultsOf(row, { engines, rounds, calls, pinning, backend, dir, say })));
  }
  backend.stop();
  const { cpu, cores, node, loadBefore } = machine;
  console.log(`\nSluice ${readSoftware()} on ${cpu}, ${cores} cores, Node ${node}. Load average before: ${loadBefore}.`);
  console.log(
    `What is measured on core ${pinning.serverCore}, load and backend on core ${pinning.loadCore}. Medians of ${rounds} rounds.\n`,
  );
  console.log(tableOf(results));
  if (options.name !== '') console.log(`\nWritten to ${save(options.name, results, { machine, rounds, calls }).join(' and ')}`);
  if (results.some(missed)) process.exitCode = 1;
}

async function resultsOf(row: Row, run: WireRun): Promise<readonly RowResult[]> {
  try {
    return await row.run(run);
  } catch (error) {
    if (!(error instanceof VoidRow)) throw error;
    run.say(`void: ${error.message}`);
    const nothing = { ours: 0, peer: 0, ratio: 0, limit: null, aim: null, rounds: { ours: [], peer: [] } };
    return [
      { id: row.id, name: row.id, engine: '', peerName: '', unit: 'us', judged: 'ratio', ...nothing, voided: error.message },
    ];
  }
}
