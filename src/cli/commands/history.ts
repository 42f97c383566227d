import type { HistoryView, RevisionView } from '../../core/plan-control.ts';
import { CliError, Exit } from '../exit-codes.ts';
import { PlanLine, usageError } from '../plan-access.ts';
import { percent, pinText } from '../plan-text.ts';
import { table } from '../terminal.ts';
import type { Command } from './command.ts';

const DEFAULT_LIMIT = '20';

/** Shows the plans that a model had, with who, when and why. */
export const history: Command = {
  name: 'history',
  usage: 'history <model> [--limit COUNT] [--admin URL] [--token-file FILE] [--json]',
  summary: 'Show the plans that a model had, newest first, with who, when and why.',
  examples: ['sluice history digits', 'sluice history digits --limit 100 --json'],
  async run(args, terminal) {
    const line = new PlanLine(history, args, { limit: { type: 'string' } });
    if (line.words.length > 0) throw usageError(history);
    const limit = line.text('limit') ?? DEFAULT_LIMIT;
    if (!/^[1-9]\d{0,5}$/.test(limit)) throw new CliError(Exit.Usage, `Found --limit ${limit}; expected a whole number.`);
    const past = await line.get<HistoryView>(`/history?limit=${limit}`);
    terminal.out(line.isJson ? JSON.stringify(past) : historyText(past));
    if (past.problem !== '') terminal.err(`The history is not whole: ${past.problem}`);
    return Exit.Ok;
  },
};

function historyText({ model, revision, revisions }: HistoryView): string {
  const rows = revisions.map((each) => [
    String(each.revision),
    each.at,
    each.actor,
    causeOf(each),
    splitOf(each),
    each.fallbacks.length === 0 ? 'none' : each.fallbacks.join(','),
    pinsOf(each),
    each.reason === '' ? '-' : each.reason.replaceAll(/\s+/g, ' '),
  ]);
  const head = ['revision', 'when', 'who', 'cause', 'split', 'fallbacks', 'pins', 'why'];
  return `${model}, revision ${revision}\n${table(head, rows)}`;
}

const causeOf = ({ cause, restores }: RevisionView): string => (restores === 0 ? cause : `${cause} to ${restores}`);

const splitOf = ({ weightsBp }: RevisionView): string =>
  Object.entries(weightsBp)
    .map(([name, bp]) => `${name}=${percent(bp)}`)
    .join(' ');

const MAX_PINS = 2;

function pinsOf({ pins }: RevisionView): string {
  if (pins.length === 0) return '-';
  const shown = pins.slice(0, MAX_PINS).map(pinText).join(' ');
  return pins.length > MAX_PINS ? `${shown} and ${pins.length - MAX_PINS} more` : shown;
}
