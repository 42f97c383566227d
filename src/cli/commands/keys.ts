import { parseArgs } from 'node:util';
import { mintKey } from '../../auth/api-key.ts';
import { CliError, Exit } from '../exit-codes.ts';
import type { Command } from './command.ts';

/** Makes an API key: the key itself for its user, its digest for the config. */
export const keys: Command = {
  name: 'keys',
  usage: 'keys new [--env NAME] [--id ID8] [--json]',
  summary: 'Make an API key; shown once, and never stored.',
  examples: ['sluice keys new', 'sluice keys new --env prod --id billing1'],
  run(args, terminal) {
    const { values, positionals } = parseKeys(args);
    if (positionals.length !== 1 || positionals[0] !== 'new') throw new CliError(Exit.Usage, `Usage: sluice ${keys.usage}`);
    const env = values.env ?? 'live';
    if (!/^[a-z]{1,12}$/.test(env)) throw new CliError(Exit.Usage, `--env: found "${env}"; expected 1 to 12 lower-case letters`);
    if (values.id !== undefined && !/^[a-z0-9]{8}$/.test(values.id)) {
      throw new CliError(Exit.Usage, `--id: found "${values.id}"; expected 8 lower-case letters or digits`);
    }
    const minted = mintKey(env, values.id);
    if (values.json === true) terminal.out(JSON.stringify(minted));
    else {
      terminal.out(`key:    ${minted.key}`);
      terminal.out(`id:     ${minted.id}`);
      terminal.out(`sha256: ${minted.sha256}`);
      terminal.err('Give the key to its user; put id and sha256 under tenants[].keys. The key cannot be shown again.');
    }
    return Promise.resolve(Exit.Ok);
  },
};

function parseKeys(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { env: { type: 'string' }, id: { type: 'string' }, json: { type: 'boolean' } },
    });
  } catch (error) {
    throw new CliError(Exit.Usage, `${(error as Error).message}\nUsage: sluice ${keys.usage}`);
  }
}
