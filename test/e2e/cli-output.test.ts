import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SLUICE = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

describe('the output of a command', () => {
  it('that nobody reads any more ends it quietly, as behind a pipe to head', async () => {
    const child = spawn(process.execPath, [SLUICE, 'help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let said = '';
    child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
    const [code] = (await once(child, 'close')) as [number];
    expect([code, said]).toEqual([0, '']);
  });
});
