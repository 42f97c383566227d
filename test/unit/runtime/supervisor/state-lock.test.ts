import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StateLock } from '../../../../src/runtime/supervisor/state-lock.ts';

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-lock-'));
  file = join(dir, 'gateway.lock');
});
afterEach(() => rmSync(dir, { recursive: true }));

const SOURCE = new URL('../../../../src/runtime/supervisor/state-lock.ts', import.meta.url).href;

/** Another process that holds the folder. */
async function holder() {
  const code = `const { StateLock } = await import('${SOURCE}'); new StateLock('${dir}', 'x'); console.log('held'); setInterval(() => 0, 1e6);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

describe('StateLock', () => {
  it('keeps a second gateway out while the first one lives, and says which it is', async () => {
    const child = await holder();
    expect(() => new StateLock(dir, 'sluice.yaml')).toThrow(
      `stateDir: found ${dir} in use by the gateway with process id ${child.pid}; expected a folder of its own.`,
    );
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(new StateLock(dir, 'sluice.yaml').problem).toBe('');
    expect(readFileSync(file, 'utf8')).toMatch(new RegExp(`^${process.pid} `));
  });

  it('is not held by whoever has got the process id since, nor by what is no lock', () => {
    for (const text of [`${process.ppid} 1\n`, `${process.pid} 1\n`, '', 'nonsense', '-1 1\n']) {
      writeFileSync(file, text);
      expect(new StateLock(dir, 'x').problem).toBe('');
    }
  });

  it('is given back by its owner alone', () => {
    const lock = new StateLock(dir, 'x');
    writeFileSync(file, '1 1\n');
    lock.release();
    expect(existsSync(file)).toBe(true);
    new StateLock(dir, 'x').release();
    expect(existsSync(file)).toBe(false);
  });

  it('keeps no gateway from serving that cannot write its folder', () => {
    writeFileSync(join(dir, 'file'), '');
    expect(new StateLock(join(dir, 'file'), 'x').problem).toMatch(/gateway\.lock: (ENOTDIR|EEXIST)$/);
  });
});
