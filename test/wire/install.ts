import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');

/** Installs what is missing before the first test. Where that cannot be done the run fails: peers that were not asked prove nothing. */
export function setup(): void {
  const { status, error } = spawnSync(join(ROOT, 'scripts/install-wire-peers.sh'), { stdio: 'inherit', timeout: 600_000 });
  if (status !== 0) throw new Error(`scripts/install-wire-peers.sh failed (${error?.message ?? `exit code ${status}`}).`);
}
