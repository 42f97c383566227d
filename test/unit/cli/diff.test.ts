import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { diff } from '../../../src/cli/commands/diff.ts';
import { CliError, Exit } from '../../../src/cli/exit-codes.ts';
import type { Terminal } from '../../../src/cli/terminal.ts';
import { ConfigError } from '../../../src/config/problem.ts';

const DEMO = join(import.meta.dirname, '../../../config/demo.yaml');
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-diff-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

async function run(...args: string[]): Promise<{ code: Exit; out: string }> {
  const lines: string[] = [];
  const terminal: Terminal = { out: (line) => lines.push(line), err: (line) => lines.push(line), isLive: false };
  return { code: await diff.run(args, terminal), out: lines.join('\n') };
}

function changed(name: string, from: RegExp, to: string): string {
  const file = join(dir, name);
  writeFileSync(file, readFileSync(DEMO, 'utf8').replace(from, to));
  return file;
}

describe('sluice diff', () => {
  it('ends with 0 and says so when nothing differs', async () => {
    expect(await run(DEMO, '--config', DEMO)).toEqual({ code: Exit.Ok, out: 'No change.' });
  });

  it('ends with 1 and lists each change under the way it comes into effect', async () => {
    const { code, out } = await run(changed('w.yaml', /weight: 5$/m, 'weight: 6'), '--config', DEMO);
    expect(code).toBe(Exit.Failed);
    expect(out).toBe(
      '1 change:\n\nby a new traffic plan, as a weight change on the admin port:\n  models.digits.variants[v2].weight: 5 % → 6 %',
    );
  });

  it('gives the same to programs', async () => {
    const { out } = await run(changed('p.yaml', /port: 8082/, 'port: 8092'), '--config', DEMO, '--json');
    expect(JSON.parse(out)).toEqual([{ path: 'listen.admin.port', is: 'changed', text: '8082 → 8092', appliedBy: 'restart' }]);
  });

  it('refuses what it cannot compare: no current config, a wrong option, a config with problems', async () => {
    const refusal = (...args: string[]): unknown => {
      try {
        return diff.run(args, { out: () => undefined, err: () => undefined, isLive: false });
      } catch (error) {
        return error instanceof CliError ? error.code : error;
      }
    };
    expect(refusal(DEMO)).toBe(Exit.Usage);
    expect(refusal(DEMO, '--nonsense')).toBe(Exit.Usage);
    expect(refusal(changed('bad.yaml', /weight: 5$/m, 'weight: 500'), '--config', DEMO)).toBeInstanceOf(ConfigError);
  });
});
