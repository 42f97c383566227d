import { ConfigError } from '../config/problem.ts';
import { COMMANDS, everyCommand } from './command-table.ts';
import { CliError, Exit } from './exit-codes.ts';
import { PROCESS_TERMINAL, type Terminal } from './terminal.ts';
import { readVersion } from './version.ts';

/** The `sluice` command: finds the word, runs it, and turns every failure into a message and an exit code. */
async function main(args: readonly string[], terminal: Terminal): Promise<Exit> {
  const [word, ...rest] = args;
  if (word === 'version' || word === '--version') {
    terminal.out(readVersion());
    return Exit.Ok;
  }
  if (word === undefined || word === 'help' || word === '--help' || word === '-h') {
    terminal.out(await help(rest[0]));
    const known = rest[0] === undefined || COMMANDS.has(rest[0]);
    return word === undefined || !known ? Exit.Usage : Exit.Ok;
  }
  const load = COMMANDS.get(word);
  if (load === undefined) throw new CliError(Exit.Usage, `Found "${word}"; expected one of ${[...COMMANDS.keys()].join(', ')}.`);
  if (rest.includes('--help') || rest.includes('-h')) {
    terminal.out(await help(word));
    return Exit.Ok;
  }
  return (await load()).run(rest, terminal);
}

async function help(word: string | undefined): Promise<string> {
  const load = word === undefined ? undefined : COMMANDS.get(word);
  if (load !== undefined) {
    const command = await load();
    return [`sluice ${command.usage}`, '', command.summary, '', 'Examples:', ...command.examples.map((line) => `  ${line}`)].join(
      '\n',
    );
  }
  const all = await everyCommand();
  const lines = all.map((each) => `  sluice ${each.usage}\n      ${each.summary}`);
  return [
    'Sluice, an inference gateway.',
    '',
    ...lines,
    '',
    'Exit codes: 0 done, 1 failed (diff: there are changes; audit verify: the chain is broken), 64 usage, 69 unavailable, 77 no permission, 78 config.',
  ].join('\n');
}

function explain(error: unknown, terminal: Terminal): Exit {
  if (error instanceof ConfigError) {
    terminal.err(error.message);
    return Exit.Config;
  }
  if (error instanceof CliError) {
    terminal.err(error.message);
    return error.code;
  }
  terminal.err(error instanceof Error ? error.message : String(error));
  return Exit.Failed;
}

/** A native model run cannot be interrupted; a process that has said all it has to say does not wait for one. */
const LINGER_MS = 2_000;

/** Whoever reads what a command prints, as `head` does, may have had enough: that is no failure. A gateway goes on without them. */
function endUnread(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(Exit.Ok);
}

if (process.argv[2] !== 'serve') process.stdout.on('error', endUnread);
process.exitCode = await main(process.argv.slice(2), PROCESS_TERMINAL).catch((error: unknown) =>
  explain(error, PROCESS_TERMINAL),
);
setTimeout(() => process.exit(), LINGER_MS).unref();
