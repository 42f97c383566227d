import type { Reached } from '../../core/control-plane.ts';
import { ACCESS_OPTIONS, callAdmin, findAdmin, reachedText } from '../admin-client.ts';
import { readArgs } from '../command-args.ts';
import { CliError, Exit } from '../exit-codes.ts';
import type { Command } from './command.ts';

/** Models may be large: longer than config grants a worker to start by default. */
const TIMEOUT_MS = 300_000;

/** Replaces the workers of a running gateway. */
export const restart: Command = {
  name: 'restart',
  usage: 'restart [--reason TEXT] [--admin URL] [--token-file FILE] [--json]',
  summary: 'Replace every worker process without losing a request; when the new ones cannot start, the old ones go on.',
  examples: ['sluice restart', 'sluice restart --reason "rotated certificates"'],
  async run(args, terminal) {
    const { values, positionals } = parseRestart(args);
    if (positionals.length > 0) throw new CliError(Exit.Usage, `Usage: sluice ${restart.usage}`);
    const access = findAdmin({ url: values.admin, tokenFile: values['token-file'] });
    const body = { reason: values.reason ?? '' };
    const done = await callAdmin<{ generation: number; workers: Reached }>(access, 'POST', 'restart', body, TIMEOUT_MS);
    terminal.out(values.json === true ? JSON.stringify(done) : `generation ${done.generation} ${reachedText(done.workers)}`);
    return Exit.Ok;
  },
};

const parseRestart = (args: readonly string[]) =>
  readArgs(args, restart.usage, { ...ACCESS_OPTIONS, reason: { type: 'string' }, json: { type: 'boolean' } });
