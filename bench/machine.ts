/** Where and on what a benchmark ran. */

import { spawnSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { readVersion } from '../src/cli/version.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  /** Runnable processes of the last minute before the start: above 0.5 others were at work. */
  readonly loadBefore: number;
}

export function readMachine(): Machine {
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${process.platform} ${release()}`,
    node: process.version,
    loadBefore: Number(loadavg()[0]!.toFixed(2)),
  };
}

/** Version, and the commit where there is a repository; `+` means that files differ from it. */
export function readSoftware(): string {
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const git = (...args: string[]): string | null => {
    const { status, stdout } = spawnSync('git', args, { cwd, encoding: 'utf8' });
    return status === 0 ? stdout.trim() : null;
  };
  const commit = git('rev-parse', '--short', 'HEAD');
  if (commit === null) return readVersion();
  return `${readVersion()} ${commit}${git('status', '--porcelain') === '' ? '' : '+'}`;
}
