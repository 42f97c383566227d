import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { COMMANDS, everyCommand } from '../../../src/cli/command-table.ts';
import { completionOf } from '../../../src/cli/commands/completion.ts';
import { FakeTerminal } from './fake-terminal.ts';

const completion = completionOf(everyCommand);

async function scriptFor(shell: string): Promise<string> {
  const terminal = new FakeTerminal();
  await completion.run([shell], terminal);
  return terminal.text;
}

describe('sluice completion', () => {
  it('lets bash complete every command, the words behind it, and its options', async () => {
    const script = await scriptFor('bash');
    const complete = (...words: string[]): string[] => {
      const ask = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _sluice; echo "\${COMPREPLY[@]}"`;
      const { stdout, stderr } = spawnSync('bash', ['-c', `${script}\n${ask}`], { encoding: 'utf8' });
      expect(stderr).toBe('');
      return stdout.trim().split(/\s+/);
    };
    expect(complete('sluice', '')).toEqual(expect.arrayContaining([...COMMANDS.keys(), 'help', 'version']));
    expect(complete('sluice', 'spl')).toEqual(['split']);
    expect(complete('sluice', 'keys', 're')).toEqual(['revoke']);
    expect(complete('sluice', 'split', '--j')).toEqual(['--json']);
  });

  it('names every command and option for zsh and fish', async () => {
    const [zsh, fish] = [await scriptFor('zsh'), await scriptFor('fish')];
    for (const [name, load] of COMMANDS) {
      expect((await load()).name).toBe(name);
      expect(zsh).toContain(`      ${name}) compadd`);
    }
    expect(fish).toContain("complete -c sluice -n '__fish_seen_subcommand_from split' -l reason");
    expect(fish).toContain("complete -c sluice -n '__fish_seen_subcommand_from keys' -a 'list new issue revoke");
  });

  it('refuses a shell that it does not know', async () => {
    await expect(completion.run(['tcsh'], new FakeTerminal())).rejects.toThrow('Found "tcsh"; expected bash, zsh or fish.');
  });
});
