import type { BackendView } from '../../core/control-plane.ts';
import { ACCESS_OPTIONS, callAdmin, findAdmin } from '../admin-client.ts';
import { readArgs } from '../command-args.ts';
import { CliError, Exit } from '../exit-codes.ts';
import { table } from '../terminal.ts';
import type { Command } from './command.ts';

/** Shows every backend of a running gateway, asked now, and the servers behind each. */
export const backends: Command = {
  name: 'backends',
  usage: 'backends [model] [--admin URL] [--token-file FILE] [--json]',
  summary: 'Show every backend, asked now, and how each of its endpoints stands.',
  examples: ['sluice backends', 'sluice backends digits --json'],
  async run(args, terminal) {
    const { values, positionals } = parseBackends(args);
    if (positionals.length > 1) throw new CliError(Exit.Usage, `Usage: sluice ${backends.usage}`);
    const access = findAdmin({ url: values.admin, tokenFile: values['token-file'] });
    const all = (await callAdmin<{ backends: readonly BackendView[] }>(access, 'GET', 'backends')).backends;
    const model = positionals[0];
    const shown = all.filter((view) => model === undefined || view.model === model);
    if (shown.length === 0 && model !== undefined) {
      const known = [...new Set(all.map((view) => view.model))].join(', ');
      throw new CliError(Exit.Failed, `There is no model "${model}"; there are ${known}.`);
    }
    terminal.out(values.json === true ? JSON.stringify({ backends: shown }) : backendTable(shown));
    return Exit.Ok;
  },
};

const parseBackends = (args: readonly string[]) =>
  readArgs(args, backends.usage, { ...ACCESS_OPTIONS, json: { type: 'boolean' } });

const HEAD = [
  'model',
  'variant',
  'kind',
  'state',
  'live',
  'endpoint',
  'endpoint state',
  'in flight',
  'latency ms',
  'ejections',
  'reason',
];

/** A line for each endpoint; one for a backend that has none. */
function backendTable(shown: readonly BackendView[]): string {
  const rows = shown.flatMap(({ model, variant, kind, readiness, live, reason, target, endpoints }) => {
    const own = [model, variant, kind, readiness, live ? 'yes' : 'no'];
    if (endpoints.length === 0) return [[...own, target, '-', '-', '-', '-', reason === '' ? '-' : reason]];
    return endpoints.map((each) => [
      ...own,
      each.endpoint,
      each.state,
      String(each.inFlight),
      each.latencyMs.toFixed(1),
      String(each.ejections),
      [reason, each.reason].filter((text) => text !== '').join('; ') || '-',
    ]);
  });
  return table(HEAD, rows);
}
