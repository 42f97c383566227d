import { parseArgs } from 'node:util';
import { mintKey } from '../../auth/api-key.ts';
import type { Reached } from '../../core/control-plane.ts';
import { ACCESS_OPTIONS, callAdmin, findAdmin, reachedText } from '../admin-client.ts';
import { CliError, Exit } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import type { Command } from './command.ts';

type Values = ReturnType<typeof parseKeys>['values'];

/** Makes an API key: the key itself for its user, its digest for the config. Or has a running gateway refuse one from now on. */
export const keys: Command = {
  name: 'keys',
  words: ['new', 'revoke'],
  usage:
    'keys new [--env NAME] [--id ID8] [--json] | keys revoke <id> [--reason TEXT] [--admin URL] [--token-file FILE] [--json]',
  summary: 'Make an API key, shown once and never stored; or revoke one at once, in every worker and for good.',
  examples: [
    'sluice keys new',
    'sluice keys new --env prod --id billing1',
    'sluice keys revoke billing1 --reason "found in a public repository"',
  ],
  run(args, terminal) {
    const { values, positionals } = parseKeys(args);
    const [word, id, ...rest] = positionals;
    if (word === 'new' && id === undefined) return Promise.resolve(make(values, terminal));
    if (word === 'revoke' && id !== undefined && rest.length === 0) return revoke(id, values, terminal);
    throw new CliError(Exit.Usage, `Usage: sluice ${keys.usage}`);
  },
};

function make(values: Values, terminal: Terminal): Exit {
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
  return Exit.Ok;
}

async function revoke(id: string, values: Values, terminal: Terminal): Promise<Exit> {
  const access = findAdmin({ url: values.admin, tokenFile: values['token-file'] });
  const path = `keys/${encodeURIComponent(id)}/revoke`;
  const body = { reason: values.reason ?? '' };
  const done = await callAdmin<{ workers: Reached; unkept: string }>(access, 'POST', path, body);
  terminal.out(values.json === true ? JSON.stringify(done) : `key ${id} revoked ${reachedText(done.workers)}`);
  if (done.unkept === '') return Exit.Ok;
  terminal.err(
    `It will be let in again after a restart, since the list could not be kept (${done.unkept}): take it out of the config.`,
  );
  return Exit.Failed;
}

function parseKeys(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...ACCESS_OPTIONS,
        env: { type: 'string' },
        id: { type: 'string' },
        reason: { type: 'string' },
        json: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new CliError(Exit.Usage, `${(error as Error).message}\nUsage: sluice ${keys.usage}`);
  }
}
