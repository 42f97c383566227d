/** What `bench:wire` leaves: a table for people, a chart, and a file to compare with. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { table } from '../../src/cli/terminal.ts';
import { type Machine, readSoftware } from '../machine.ts';
import { judgedOf, type RowResult } from './row.ts';
import { wireChart } from './wire-chart.ts';
import { policiesDigest } from './wire-config.ts';

const HEAD = ['row', 'engine', 'peer', 'unit', 'ours', 'theirs', 'ratio', 'added', 'must be', 'aim', ''];

export function tableOf(rows: readonly RowResult[]): string {
  const voids = rows.filter(({ voided }) => voided !== '').map(({ name, voided }) => `\nThe row "${name}" is void: ${voided}.`);
  return table(HEAD, rows.map(cellsOf)) + voids.join('');
}

/** Whether a row that has a limit is beyond it; the package's rows are there for comparison alone. */
export const missed = (row: RowResult): boolean =>
  row.voided !== '' || (row.engine === 'own' && row.limit !== null && judgedOf(row) > row.limit);

/** Returns where. */
export function save(
  name: string,
  rows: readonly RowResult[],
  about: { readonly machine: Machine; readonly rounds: number; readonly calls: number },
): readonly string[] {
  const place = (ending: string): string => fileURLToPath(new URL(`../results/${name}.${ending}`, import.meta.url));
  const { machine, ...size } = about;
  const results = {
    time: new Date().toISOString(),
    software: readSoftware(),
    machine,
    ...size,
    policies: policiesDigest(),
    rows,
  };
  mkdirSync(fileURLToPath(new URL('../results/', import.meta.url)), { recursive: true });
  writeFileSync(place('json'), `${JSON.stringify(results, rounded, 2)}\n`);
  writeFileSync(place('svg'), wireChart(rows));
  return [place('json'), place('svg')];
}

function cellsOf(row: RowResult): string[] {
  const { name, engine, peerName, unit, judged, limit, aim, voided } = row;
  if (voided !== '') return [name, 'void', ...HEAD.slice(2).map(() => '')];
  const digits = unit === 'us' ? 1 : 3;
  const [ours, peer] = [row.ours.toFixed(digits), row.peer.toFixed(digits)];
  const added = judged === 'added' ? (row.ours - row.peer).toFixed(digits) : '';
  const word = (value: number | null): string => (value === null ? '-' : String(value));
  return [
    name,
    engine,
    peerName,
    unit,
    ours,
    peer,
    row.ratio.toFixed(judged === 'added' ? 2 : 3),
    added,
    word(limit),
    word(aim),
    missed(row) ? 'missed' : '',
  ];
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toFixed(4)) : value;
}
