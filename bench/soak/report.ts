/** What a soak has shown, as a table, and what of it must not be. */

import { table } from '../../src/cli/terminal.ts';
import { ENDINGS } from './ending.ts';
import { type Figures, OF_CALLS } from './gateway-figures.ts';
import type { Settled, SoakReport } from './run-soak.ts';

const MIB = 1_048_576;
/** Of all calls so many get their answer; those that leave or have no time on purpose are a third. */
const LEAST_RIGHT = 0.4;
/** What is kept may grow so much between the second period, when all code is warm, and the last. */
const MOST_GROWTH = 0.05;
const MOST_GROWTH_BYTES = 2 * MIB;
/** In a run of few short periods code is still being compiled. */
const FEW_PERIODS = 5;
const FEW_GROWTH_BYTES = 12 * MIB;
/** A connection at rest remembers some streams that were given up for want of room, until others have been. */
const MOST_REMEMBERED = 64;
const SOCKET = 'TCPSocketWrap';
/** What stays until somebody closes it. Timers and requests to the system come and go. */
const HANDLES = [SOCKET, 'TLSWrap', 'TCPServerWrap', 'PipeWrap'];
const STOP_LIMIT_MS = 10_000;

export function textOf(report: SoakReport): string {
  const { load, chaos, connectionsReset, before, settled, after, stopMs } = report;
  const kinds = [...load.tally].map(([kind, counts]) => [kind, ...ENDINGS.map((ending) => String(counts[ending]))]);
  const total = ['all', ...ENDINGS.map((ending) => String(load.count(ending)))];
  const memory = [row('before', 0, before), ...settled.map((each, i) => row(String(i + 1), each.calls, each.figures))];
  memory.push(row('after', load.calls, after));
  const told = [...load.details].toSorted((a, b) => b[1] - a[1]).slice(0, 12);
  return [
    table(['calls', ...ENDINGS], [...kinds, total]),
    '',
    table(['period', 'calls', 'kept MiB', 'heap', 'external', 'rss', 'sockets', 'connections', 'streams'], memory),
    '',
    table(
      ['what befell', 'times'],
      [...chaos].map(([what, times]) => [what, String(times)]),
    ),
    `client connections reset: ${connectionsReset}`,
    '',
    table(
      ['what callers were told', 'times'],
      told.map(([what, times]) => [what, String(times)]),
    ),
    '',
    `handles before: ${JSON.stringify(before.resources)}`,
    `handles after:  ${JSON.stringify(after.resources)}`,
    `ended ${stopMs.toFixed(0)} ms after SIGTERM`,
  ].join('\n');
}

/** In words; empty when all is well. */
export function problemsOf(report: SoakReport): string[] {
  const { load, settled, before, after, restarts, bugs, stopMs, stopProblem } = report;
  const problems = [...load.faults];
  const [right, wrong, stuck] = [load.count('right'), load.count('wrong'), load.count('stuck')];
  if (wrong + stuck > 0) problems.push(`${wrong} wrong answers and ${stuck} stuck calls; expected none`);
  if (right < load.calls * LEAST_RIGHT)
    problems.push(`${right} of ${load.calls} calls have their answer; expected ${LEAST_RIGHT}`);
  for (const [kind, counts] of load.tally) if (counts.right === 0) problems.push(`no call of ${kind} has its answer`);
  for (const [i, each] of settled.entries()) problems.push(...leftOf(each).map((left) => `after period ${i + 1}: ${left}`));
  problems.push(...growthOf(settled));
  for (const name of HANDLES) {
    const [was, is] = [before.resources[name] ?? 0, after.resources[name] ?? 0];
    // Towards the backends there may be one connection more than before, to either of them.
    const may = name === SOCKET ? was + 2 : was;
    if (is > may) problems.push(`${is} handles of ${name} are left; expected ${may}`);
  }
  if (after.live['ServerConnection'] !== 0) problems.push(`${after.live['ServerConnection']} connections of clients are left`);
  if (restarts > 0) problems.push(`${restarts} workers were replaced; expected none`);
  if (bugs > 0) problems.push(`${bugs} requests met a bug`);
  if (stopProblem !== '') problems.push(stopProblem);
  if (stopMs > STOP_LIMIT_MS) problems.push(`it ended ${stopMs.toFixed(0)} ms after SIGTERM; expected ${STOP_LIMIT_MS}`);
  return problems;
}

function leftOf({ inFlight, figures }: Settled): string[] {
  const left = Object.entries(inFlight).filter(([, count]) => count !== 0);
  const live = OF_CALLS.map((name) => [name, figures.live[name] ?? 0] as const).filter(([, count]) => count > MOST_REMEMBERED);
  return [
    ...left.map(([name, count]) => `${name} is ${count}; expected 0`),
    ...live.map(([name, count]) => `there are ${count} of ${name}; expected ${MOST_REMEMBERED} at most`),
  ];
}

function growthOf(settled: readonly Settled[]): string[] {
  const isShort = settled.length < FEW_PERIODS;
  const [first, last] = [settled[Math.min(1, settled.length - 2)]!, settled.at(-1)!];
  const grown = last.figures.keptBytes - first.figures.keptBytes;
  const most = isShort ? FEW_GROWTH_BYTES : Math.max(MOST_GROWTH_BYTES, first.figures.keptBytes * MOST_GROWTH);
  if (grown <= most) return [];
  return [`heap and external memory have grown by ${inMib(grown)} MiB since period 2; expected ${inMib(most)} at most`];
}

function row(name: string, calls: number, { keptBytes, heapBytes, externalBytes, rssBytes, resources, live }: Figures): string[] {
  const connections = `${live['ServerConnection']} + ${live['ClientConnection']}`;
  const streams = OF_CALLS.reduce((sum, each) => sum + (live[each] ?? 0), 0);
  const bytes = [keptBytes, heapBytes, externalBytes, rssBytes].map(inMib);
  return [name, String(calls), ...bytes, String(resources[SOCKET] ?? 0), connections, String(streams)];
}

const inMib = (bytes: number): string => (bytes / MIB).toFixed(2);
