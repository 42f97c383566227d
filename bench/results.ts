/** What a benchmark leaves: a table for people and a file to compare with. */

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { table } from '../src/cli/terminal.ts';
import { benchConfig } from './bench-config.ts';
import { IN_FLIGHT } from './load.ts';
import type { Machine } from './machine.ts';
import type { BenchRow } from './measure.ts';

export interface BenchResults {
  /** ISO 8601. */
  readonly time: string;
  readonly software: string;
  readonly machine: Machine;
  /** The cores, or why nothing was pinned. */
  readonly pinning: string;
  readonly inFlight: number;
  /** SHA-256 of the gateway's config, its backend's address left out. */
  readonly configSha256: string;
  readonly rows: readonly BenchRow[];
}

/** Above so much of others' work on its core a row is disturbed. */
const CALM_PERCENT = 3;

export function resultsOf(machine: Machine, software: string, pinning: string, rows: readonly BenchRow[]): BenchResults {
  const config = stringify(benchConfig('127.0.0.1:0'));
  const configSha256 = createHash('sha256').update(config).digest('hex');
  return { time: new Date().toISOString(), software, machine, pinning, inFlight: IN_FLIGHT, configSha256, rows };
}

/** Returns where. */
export function save(results: BenchResults, name: string): string {
  const file = new URL(`results/${name}.json`, import.meta.url);
  mkdirSync(new URL('.', file), { recursive: true });
  const rounded = (_key: string, value: unknown): unknown => (typeof value === 'number' ? Number(value.toFixed(3)) : value);
  writeFileSync(file, `${JSON.stringify(results, rounded, 2)}\n`);
  return fileURLToPath(file);
}

export function describe({ machine, software, pinning }: BenchResults): string {
  const { cpu, cores, memoryGiB, kernel, node, loadBefore } = machine;
  return [
    `Sluice ${software} on ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${kernel}, Node ${node}.`,
    `${pinning} ${IN_FLIGHT} requests in flight. Load average before: ${loadBefore}.`,
  ].join('\n');
}

const HEAD = ['face', 'way', 'body', 'req/s', 'p50 ms', 'p90', 'p97.5', 'p99', 'CPU µs', 'main', 'of peer', 'busy %', 'others %'];

export function resultTable(rows: readonly BenchRow[]): string {
  return table(
    HEAD,
    rows.map((row) => cellsOf(row, rows)),
  );
}

function cellsOf(row: BenchRow, all: readonly BenchRow[]): string[] {
  const { face, way, body, latencyMs } = row;
  if (row.voided !== '') return [face, way, body, `void: ${row.voided}`, ...HEAD.slice(4).map(() => '-')];
  return [
    face,
    way,
    body,
    row.perSecond.toFixed(0),
    ...[latencyMs.p50, latencyMs.p90, latencyMs.p97_5, latencyMs.p99].map((ms) => ms.toFixed(2)),
    figure(row.cpuUs),
    figure(row.mainCpuUs),
    ratio(row, all),
    figure(row.busyPercent),
    figure(row.othersPercent),
  ];
}

const figure = (value: number | null): string => (value === null ? '-' : value.toFixed(1));

/** CPU a request as a multiple of what a server takes that does nothing but give the same answer to the same question. */
function ratio(row: BenchRow, all: readonly BenchRow[]): string {
  const peer = all.find(
    ({ face, body, way, voided }) => way === 'peer' && face === row.face && body === row.body && voided === '',
  );
  if (peer === undefined || peer.cpuUs === null || row.cpuUs === null) return '-';
  return (row.cpuUs / peer.cpuUs).toFixed(2);
}

/** One sentence when the machine was not calm. */
export function disturbance(rows: readonly BenchRow[]): string {
  const disturbed = rows.filter(({ othersPercent }) => othersPercent !== null && othersPercent > CALM_PERCENT).length;
  if (disturbed === 0) return '';
  return `In ${disturbed} of ${rows.length} rows others held the core under test for more than ${CALM_PERCENT} % of the time: latencies there are too long.`;
}
