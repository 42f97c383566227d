import type { RolloutView } from '../../core/rollout.ts';
import { ACCESS_OPTIONS, type AdminAccess, callAdmin, findAdmin } from '../admin-client.ts';
import { readArgs } from '../command-args.ts';
import { CliError, Exit } from '../exit-codes.ts';
import { showLive, untilInterrupted } from '../live-view.ts';
import { rolloutList, rolloutText } from '../rollout-text.ts';
import type { Terminal } from '../terminal.ts';
import type { Command } from './command.ts';

/** Words that change a rollout, and what they make of it. */
const ACTIONS: ReadonlySet<string> = new Set(['pause', 'resume', 'approve', 'promote', 'abort']);

const UNDER_WAY: ReadonlySet<string> = new Set(['running', 'waiting', 'paused']);

type Values = ReturnType<typeof parseRollout>['values'];

/** Starts a rollout, shows how it stands, and takes it into people's own hands. */
export const rollout: Command = {
  name: 'rollout',
  usage:
    'rollout start <model> [variant] [--steps LIST] [--hold SECONDS] [--min-requests N] [--tolerate LIST] | rollout status [id|model] [--watch] [--json] | rollout pause|resume|approve|promote|abort <id|model> [--reason TEXT] [--admin URL] [--token-file FILE] [--json]',
  words: ['start', 'status', ...ACTIONS],
  summary:
    'Grow the share of a canary step by step, judged against stable all the time: it advances by itself, holds when unsure, and rolls back on harm.',
  examples: [
    'sluice rollout start digits --reason "v2 trained on the March data"',
    'sluice rollout start digits v2 --steps 1,10,50,100 --hold 300 --min-requests 1000',
    'sluice rollout start digits --tolerate cost=0.6,latency=1,disagreement=0.2',
    'sluice rollout status digits --watch',
    'sluice rollout approve digits',
    'sluice rollout abort 5f3a91c2 --reason "complaints from billing"',
    'sluice rollout status --json',
  ],
  async run(args, terminal) {
    const { values, positionals } = parseRollout(args);
    const [word, ...rest] = positionals;
    const access = (): AdminAccess => findAdmin({ url: values.admin, tokenFile: values['token-file'] });
    if (word === 'start' && (rest.length === 1 || rest.length === 2)) return start(access(), rest, values, terminal);
    if (word === 'status' && rest.length < 2) return status(access(), rest[0] ?? '', values, terminal);
    if (word !== undefined && ACTIONS.has(word) && rest.length === 1) return act(access(), word, rest[0]!, values, terminal);
    throw new CliError(Exit.Usage, `Usage: sluice ${rollout.usage}`);
  },
};

async function start(access: AdminAccess, names: readonly string[], values: Values, terminal: Terminal): Promise<Exit> {
  const [model, variant = ''] = names;
  const holdMs = values.hold === undefined ? null : wholeOf('--hold', values.hold) * 1_000;
  const minRequests = values['min-requests'] === undefined ? null : wholeOf('--min-requests', values['min-requests']);
  if (values.steps === undefined && (holdMs !== null || minRequests !== null)) {
    throw new CliError(Exit.Usage, '--hold and --min-requests go with --steps; without it the steps are those of the config.');
  }
  const steps = values.steps?.split(',').map((text) => ({ weightBp: weightBpOf(text), holdMs, minRequests }));
  const tolerance = values.tolerate === undefined ? {} : toleranceOf(values.tolerate);
  const body = { model, variant, reason: values.reason ?? '', tolerance, ...(steps === undefined ? {} : { steps }) };
  show(await callAdmin<RolloutView>(access, 'POST', 'rollouts', body), values, terminal);
  return Exit.Ok;
}

async function status(access: AdminAccess, who: string, values: Values, terminal: Terminal): Promise<Exit> {
  if (values.watch === true) return watch(access, who, values.json === true, terminal);
  if (who !== '') {
    const found = await find(access, who);
    show(found, values, terminal);
    return Exit.Ok;
  }
  const all = await listOf(access);
  terminal.out(values.json === true ? JSON.stringify({ rollouts: all }) : rolloutList(terminal, all));
  return Exit.Ok;
}

/** Until all that is shown is over, or a person has seen enough. With `json` a line for each change. */
function watch(access: AdminAccess, who: string, json: boolean, terminal: Terminal): Promise<Exit> {
  const over = new AbortController();
  const render = async (): Promise<string> => {
    const all = who === '' ? await listOf(access) : [await find(access, who)];
    if (!all.some(({ state, pending }) => pending || UNDER_WAY.has(state))) over.abort();
    if (json) return JSON.stringify(who === '' ? { rollouts: all } : all[0]);
    return who === '' ? rolloutList(terminal, all) : rolloutText(terminal, all[0]!);
  };
  // Lines for a program are not redrawn.
  const shown = json
    ? { out: (line: string) => terminal.out(line), err: (line: string) => terminal.err(line), isLive: false }
    : terminal;
  return showLive(shown, { render, signal: AbortSignal.any([over.signal, untilInterrupted()]) });
}

async function act(access: AdminAccess, word: string, who: string, values: Values, terminal: Terminal): Promise<Exit> {
  const { id } = await find(access, who);
  const body = { reason: values.reason ?? '' };
  show(await callAdmin<RolloutView>(access, 'POST', `rollouts/${encodeURIComponent(id)}/${word}`, body), values, terminal);
  return Exit.Ok;
}

function show(view: RolloutView, values: Values, terminal: Terminal): void {
  terminal.out(values.json === true ? JSON.stringify(view) : rolloutText(terminal, view));
}

/** By its id, or of a model the one under way, or else the latest. */
async function find(access: AdminAccess, who: string): Promise<RolloutView> {
  const all = await listOf(access);
  const ofModel = all.filter(({ spec }) => spec.model === who);
  const found =
    all.find(({ id }) => id === who) ?? ofModel.find(({ state, pending }) => pending || UNDER_WAY.has(state)) ?? ofModel[0];
  if (found !== undefined) return found;
  throw new CliError(Exit.Failed, `There is no rollout "${who}", and none of a model of that name; see sluice rollout status.`);
}

async function listOf(access: AdminAccess): Promise<readonly RolloutView[]> {
  return (await callAdmin<{ rollouts: readonly RolloutView[] }>(access, 'GET', 'rollouts')).rollouts;
}

function weightBpOf(text: string): number {
  const match = /^\s*(\d{1,3}(?:\.\d{1,2})?)%?\s*$/.exec(text);
  const percent = match === null ? 0 : Number(match[1]);
  if (percent > 0 && percent <= 100) return Math.round(percent * 100);
  throw new CliError(Exit.Usage, `--steps: found "${text}"; expected percent with at most two decimals, such as 1,5,25,50,100.`);
}

/** Names of people for the tolerances of the API. */
const TOLERANCES: Readonly<Record<string, string>> = {
  errors: 'errors',
  latency: 'latency',
  cost: 'cost',
  disagreement: 'maxDisagreement',
};

/** `cost=0.6,latency=1`; what is not named is as config says. The gateway knows the ranges. */
function toleranceOf(text: string): Record<string, number> {
  return Object.fromEntries(
    text.split(',').map((part) => {
      const match = /^\s*([a-z]+)=(\d+(?:\.\d+)?)\s*$/.exec(part);
      const name = match === null ? undefined : TOLERANCES[match[1]!];
      if (name !== undefined) return [name, Number(match![2])];
      const known = Object.keys(TOLERANCES).join(', ');
      throw new CliError(Exit.Usage, `--tolerate: found "${part}"; expected name=number with one of ${known}.`);
    }),
  );
}

function wholeOf(option: string, text: string): number {
  if (/^\d{1,8}$/.test(text)) return Number(text);
  throw new CliError(Exit.Usage, `${option}: found "${text}"; expected a whole number.`);
}

const parseRollout = (args: readonly string[]) =>
  readArgs(args, rollout.usage, {
    ...ACCESS_OPTIONS,
    steps: { type: 'string' },
    hold: { type: 'string' },
    'min-requests': { type: 'string' },
    tolerate: { type: 'string' },
    reason: { type: 'string' },
    watch: { type: 'boolean' },
    json: { type: 'boolean' },
  });
