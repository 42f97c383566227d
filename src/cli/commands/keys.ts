import { mintKey } from '../../auth/api-key.ts';
import type { KeyView } from '../../core/access.ts';
import type { Reached } from '../../core/control-plane.ts';
import { ACCESS_OPTIONS, callAdmin, findAdmin, reachedText } from '../admin-client.ts';
import { readArgs } from '../command-args.ts';
import { CliError, Exit } from '../exit-codes.ts';
import { type Terminal, table } from '../terminal.ts';
import type { Command } from './command.ts';

type Values = ReturnType<typeof parseKeys>['values'];

/** API keys of callers: made for the config, or listed, issued and revoked at a running gateway. */
export const keys: Command = {
  name: 'keys',
  words: ['list', 'new', 'issue', 'revoke'],
  usage:
    'keys new [--env NAME] [--id ID8] [--json] | keys list [tenant] | keys issue <tenant> [--models A,B] [--scopes A,B] [--expires TIME] [--env NAME] | keys revoke <id>; each of the last three also [--admin URL] [--token-file FILE] [--json], the last two [--reason TEXT] [--dry-run]',
  summary:
    'Make a key for the config; list the keys of a running gateway; issue one there, shown once and kept as a digest; or revoke one, in every worker and for good.',
  examples: [
    'sluice keys new --env prod --id billing1',
    'sluice keys list acme',
    'sluice keys issue acme --models digits,spam --expires 2027-01-01T00:00:00Z --reason "batch job"',
    'sluice keys revoke billing1 --reason "found in a public repository"',
  ],
  run(args, terminal) {
    const { values, positionals } = parseKeys(args);
    const [word, name, ...rest] = positionals;
    if (rest.length === 0) {
      if (word === 'new' && name === undefined) return Promise.resolve(make(values, terminal));
      if (word === 'list') return list(name ?? '', values, terminal);
      if (word === 'issue' && name !== undefined) return issue(name, values, terminal);
      if (word === 'revoke' && name !== undefined) return revoke(name, values, terminal);
    }
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

async function list(tenant: string, values: Values, terminal: Terminal): Promise<Exit> {
  const path = tenant === '' ? 'keys' : `keys?tenant=${encodeURIComponent(tenant)}`;
  const answer = await callAdmin<{ keys: readonly KeyView[] }>(accessOf(values), 'GET', path);
  if (values.json === true) terminal.out(JSON.stringify(answer));
  else {
    const rows = answer.keys.map((key) => [
      key.id,
      key.tenant,
      key.state,
      key.scopes.join(', '),
      key.models.join(', '),
      key.expires ?? '-',
      key.source === 'config' ? 'config' : `${key.issuedBy}, ${key.issuedAt}`,
    ]);
    terminal.out(table(['id', 'tenant', 'state', 'scopes', 'models', 'expires', 'from'], rows));
  }
  return Exit.Ok;
}

async function issue(tenant: string, values: Values, terminal: Terminal): Promise<Exit> {
  const body = {
    ...changeOf(values),
    ...(values.env === undefined ? {} : { env: values.env }),
    ...(values.models === undefined ? {} : { models: values.models.split(',') }),
    ...(values.scopes === undefined ? {} : { scopes: values.scopes.split(',') }),
    ...(values.expires === undefined ? {} : { expires: values.expires }),
  };
  const path = `tenants/${encodeURIComponent(tenant)}/keys`;
  const done = await callAdmin<KeyView & { key: string; workers: Reached }>(accessOf(values), 'POST', path, body);
  if (values.json === true) terminal.out(JSON.stringify(done));
  else if (values['dry-run'] === true) terminal.out(`a key would be issued for ${tenant}: ${keyText(done)}`);
  else {
    terminal.out(`key: ${done.key}`);
    terminal.err(`id ${done.id}, issued ${reachedText(done.workers)}: ${keyText(done)}. The key cannot be shown again.`);
  }
  return Exit.Ok;
}

const keyText = ({ scopes, models, expires }: KeyView): string =>
  `may ${scopes.join(', ')} on ${models.join(', ')}, ${expires === null ? 'for good' : `until ${expires}`}`;

async function revoke(id: string, values: Values, terminal: Terminal): Promise<Exit> {
  const path = `keys/${encodeURIComponent(id)}/revoke`;
  type Done = { readonly workers: Reached; readonly unkept: string; readonly revoked: boolean };
  const done = await callAdmin<Done>(accessOf(values), 'POST', path, changeOf(values));
  if (values['dry-run'] === true) {
    const text = `key ${id} ${done.revoked ? 'is revoked already' : 'would be revoked'}`;
    terminal.out(values.json === true ? JSON.stringify(done) : text);
    return Exit.Ok;
  }
  terminal.out(values.json === true ? JSON.stringify(done) : `key ${id} revoked ${reachedText(done.workers)}`);
  if (done.unkept === '') return Exit.Ok;
  terminal.err(
    `It will be let in again after a restart, since the list could not be kept (${done.unkept}): take it out of the config.`,
  );
  return Exit.Failed;
}

const changeOf = (values: Values): object => ({ reason: values.reason ?? '', dryRun: values['dry-run'] ?? false });

const accessOf = (values: Values): ReturnType<typeof findAdmin> =>
  findAdmin({ url: values.admin, tokenFile: values['token-file'] });

const parseKeys = (args: readonly string[]) =>
  readArgs(args, keys.usage, {
    ...ACCESS_OPTIONS,
    env: { type: 'string' },
    id: { type: 'string' },
    models: { type: 'string' },
    scopes: { type: 'string' },
    expires: { type: 'string' },
    reason: { type: 'string' },
    'dry-run': { type: 'boolean' },
    json: { type: 'boolean' },
  });
