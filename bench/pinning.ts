/** Which core runs what: the server under test alone on one, load generator and backends together on another. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Pinning {
  /** Core of the server under test; -1 when nothing is pinned. */
  readonly serverCore: number;
  /** Core of everything else; -1 when nothing is pinned. */
  readonly loadCore: number;
  /** Put before the command line of the server under test, and of what belongs to the load. */
  readonly server: readonly string[];
  readonly load: readonly string[];
}

const NONE: Pinning = { serverCore: -1, loadCore: -1, server: [], load: [] };

/** Pins this process to the load's core. Without taskset, or with one core alone, nothing is pinned. */
export function pin(): Pinning {
  const [serverCore, loadCore] = allowedCores();
  if (serverCore === undefined || loadCore === undefined) return NONE;
  // With --all-tasks, since the engine's own threads run already.
  const pinned = spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(loadCore), String(process.pid)]);
  if (pinned.status !== 0) return NONE;
  const launcher = (core: number): string[] => ['taskset', '--cpu-list', String(core)];
  return { serverCore, loadCore, server: launcher(serverCore), load: launcher(loadCore) };
}

/** The cores this process may run on, in order. */
function allowedCores(): number[] {
  if (process.platform !== 'linux') return [];
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
  });
}
