import type { AuditHead, AuditPage } from '../../core/audit.ts';
import { verifyAudit } from '../../runtime/supervisor/audit/audit-verify.ts';
import { ACCESS_OPTIONS, callAdmin, findAdmin } from '../admin-client.ts';
import { readArgs } from '../command-args.ts';
import { CliError, Exit } from '../exit-codes.ts';
import { type Terminal, table } from '../terminal.ts';
import type { Command } from './command.ts';

type Values = ReturnType<typeof parseAudit>['values'];

const DEFAULT_LIMIT = '20';
/** Longest value in the table; --json has it whole. */
const MAX_CELL = 60;

/** Shows who changed what, or checks that the record of it is whole. */
export const audit: Command = {
  name: 'audit',
  words: ['verify'],
  usage: 'audit [--limit N] [--before N] [--admin URL] [--token-file FILE] [--json] | audit verify FILE [--head HASH] [--json]',
  summary: 'List the last changes; or check that no line of an audit file was changed, taken out, put in, swapped or cut off.',
  examples: [
    'sluice audit --limit 50',
    'sluice audit verify .sluice/audit.jsonl',
    'sluice audit verify audit.jsonl --head 9c1e…   # a head from the log, a backup or GET audit',
  ],
  run(args, terminal) {
    const { values, positionals } = parseAudit(args);
    const [word, file, ...rest] = positionals;
    if (word === undefined) return list(values, terminal);
    if (word === 'verify' && file !== undefined && rest.length === 0) return Promise.resolve(verify(file, values, terminal));
    throw new CliError(Exit.Usage, `Usage: sluice ${audit.usage}`);
  },
};

const parseAudit = (args: readonly string[]) =>
  readArgs(args, audit.usage, {
    ...ACCESS_OPTIONS,
    limit: { type: 'string' },
    before: { type: 'string' },
    head: { type: 'string' },
    json: { type: 'boolean' },
  });

async function list(values: Values, terminal: Terminal): Promise<Exit> {
  const access = findAdmin({ url: values.admin, tokenFile: values['token-file'] });
  const query = new URLSearchParams({ limit: values.limit ?? DEFAULT_LIMIT });
  if (values.before !== undefined) query.set('before', values.before);
  const page = await callAdmin<AuditPage & { head: AuditHead }>(access, 'GET', `audit?${query}`);
  if (values.json === true) terminal.out(JSON.stringify(page));
  else {
    const rows = page.records.map(({ seq, time, actor, role, action, model, before, after, reason }) => [
      String(seq),
      time,
      role === '' ? actor : `${actor} (${role})`,
      action,
      model === '' ? '-' : model,
      `${cell(before)} → ${cell(after)}`,
      reason === '' ? '-' : short(reason),
    ]);
    terminal.out(table(['seq', 'time', 'who', 'action', 'model', 'change', 'reason'], rows));
    if (page.next !== null) terminal.err(`Older ones: sluice audit --before ${page.next}`);
    terminal.err(`Head: ${page.head.seq} ${page.head.hash}`);
  }
  if (page.unreadable > 0) terminal.err(`${page.unreadable} lines are no records; see: sluice audit verify`);
  if (page.head.problem !== '') terminal.err(`Changes are refused: ${page.head.problem}`);
  return page.unreadable > 0 || page.head.problem !== '' ? Exit.Failed : Exit.Ok;
}

const cell = (value: unknown): string => (value === null ? '-' : short(JSON.stringify(value)));

function short(text: string): string {
  // A reason is whatever somebody typed: nothing of it may steer the terminal.
  const plain = text.replace(/\p{Cc}/gu, ' ');
  return plain.length > MAX_CELL ? `${plain.slice(0, MAX_CELL)}…` : plain;
}

function verify(file: string, values: Values, terminal: Terminal): Exit {
  const head = values.head ?? '';
  if (head !== '' && !/^[0-9a-f]{64}$/.test(head)) {
    throw new CliError(Exit.Usage, `--head: found "${head}"; expected the 64 hexadecimal digits of a hash`);
  }
  const found = verified(file, head);
  if (values.json === true) terminal.out(JSON.stringify({ ok: found.problem === null, ...found }));
  else if (found.problem !== null) {
    terminal.err(`${file} is broken: ${found.problem.message}. ${found.records} records before it are whole.`);
  } else {
    const since = found.headSeq === null ? '' : `; the head given is number ${found.headSeq}`;
    terminal.out(`${file} is whole: ${found.records} records, head ${found.head}${since}`);
  }
  return found.problem === null ? Exit.Ok : Exit.Failed;
}

function verified(file: string, head: string): ReturnType<typeof verifyAudit> {
  try {
    return verifyAudit(file, head);
  } catch (error) {
    throw new CliError(Exit.Usage, `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)}).`);
  }
}
