import { describe, expect, it } from 'vitest';
import { CliError, Exit } from '../../../src/cli/exit-codes.ts';
import { showLive } from '../../../src/cli/live-view.ts';
import { stateCell, table, toned } from '../../../src/cli/terminal.ts';
import { FakeTerminal } from './fake-terminal.ts';

/** Renders each of `pictures` once, then ends the view. */
async function show(terminal: FakeTerminal, pictures: readonly (string | Error)[]): Promise<Exit> {
  const controller = new AbortController();
  let at = 0;
  const render = (): Promise<string> => {
    const picture = pictures[at++]!;
    if (at === pictures.length) controller.abort();
    return typeof picture === 'string' ? Promise.resolve(picture) : Promise.reject(picture);
  };
  return showLive(terminal, { render, signal: controller.signal, intervalMs: 1 });
}

describe('a live view', () => {
  it('redraws a terminal, and prints elsewhere what has changed', async () => {
    const person = new FakeTerminal(true);
    expect(await show(person, ['a', 'a', 'b'])).toBe(Exit.Ok);
    expect(person.lines).toEqual(['\u001b[2J', '\u001b[H\u001b[Ja', '\u001b[H\u001b[Ja', '\u001b[H\u001b[Jb']);
    const file = new FakeTerminal();
    await show(file, ['a', 'a', 'b']);
    expect(file.lines).toEqual(['a', 'b']);
  });

  it('keeps its last picture while the gateway cannot be reached, and ends where waiting does not help', async () => {
    const terminal = new FakeTerminal();
    await show(terminal, ['a', new CliError(Exit.Unavailable, 'gone'), 'b']);
    expect([terminal.lines, terminal.errors]).toEqual([['a', 'b'], ['gone']]);
    const person = new FakeTerminal(true);
    await show(person, ['a', new CliError(Exit.Unavailable, 'gone'), 'b']);
    expect(person.lines.slice(2)).toEqual(['\u001b[H\u001b[Ja\n\ngone', '\u001b[H\u001b[Jb']);
    await expect(show(terminal, ['a', new CliError(Exit.NoPermission, 'no'), 'b'])).rejects.toThrow('no');
  });
});

describe('a table', () => {
  it('gives colours no room, and none at all where nobody looks', () => {
    const [person, file] = [new FakeTerminal(true), new FakeTerminal()];
    expect(stateCell(file, 'ready')).toBe('ready');
    expect(toned(person, 'plain', 'x')).toBe('x');
    const rows = (terminal: FakeTerminal) => [
      [stateCell(terminal, 'ready'), '1'],
      [stateCell(terminal, 'lost'), '22'],
    ];
    const coloured = table(['state', 'n'], rows(person));
    expect(coloured).toContain('\u001b[32mready\u001b[0m');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape is what is looked for.
    expect(coloured.replaceAll(/\u001b\[\d*m/g, '')).toBe(table(['state', 'n'], rows(file)));
  });
});
