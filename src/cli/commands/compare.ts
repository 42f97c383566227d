import type { ComparisonView, DisagreementsView } from '../../core/comparison.ts';
import { ACCESS_OPTIONS, type AdminAccess, callAdmin, findAdmin } from '../admin-client.ts';
import { readArgs } from '../command-args.ts';
import { comparisonText, disagreementsText } from '../comparison-text.ts';
import { CliError, Exit } from '../exit-codes.ts';
import { showLive, untilInterrupted } from '../live-view.ts';
import type { Command } from './command.ts';

/** Comparisons are asked of every worker, and change slowly. */
const WATCH_MS = 2_000;

/** Shows how canaries and shadows answer beside stable. */
export const compare: Command = {
  name: 'compare',
  usage: 'compare <model> [--disagreements] [--variant NAME] [--watch] [--admin URL] [--token-file FILE] [--json]',
  summary: "Show how the answers of canaries and shadows differ from stable's, live with --watch, or those that disagreed.",
  examples: [
    'sluice compare digits',
    'sluice compare digits --watch',
    'sluice compare digits --disagreements --variant v2 --json | jq .disagreements[0]',
  ],
  async run(args, terminal) {
    const { values, positionals } = parseCompare(args);
    const [model] = positionals;
    if (model === undefined || positionals.length > 1) throw new CliError(Exit.Usage, `Usage: sluice ${compare.usage}`);
    const access = findAdmin({ url: values.admin, tokenFile: values['token-file'] });
    const look: Look = {
      access,
      path: `models/${encodeURIComponent(model)}`,
      disagreements: values.disagreements === true,
      variant: values.variant ?? '',
      json: values.json === true,
    };
    if (values.watch === true) {
      return showLive(terminal, { render: () => textOf(look), signal: untilInterrupted(), intervalMs: WATCH_MS });
    }
    terminal.out(await textOf(look));
    return Exit.Ok;
  },
};

interface Look {
  readonly access: AdminAccess;
  readonly path: string;
  readonly disagreements: boolean;
  /** Empty shows all. */
  readonly variant: string;
  readonly json: boolean;
}

const parseCompare = (args: readonly string[]) =>
  readArgs(args, compare.usage, {
    disagreements: { type: 'boolean' },
    variant: { type: 'string' },
    watch: { type: 'boolean' },
    ...ACCESS_OPTIONS,
    json: { type: 'boolean' },
  });

async function textOf({ access, path, disagreements, variant, json }: Look): Promise<string> {
  if (disagreements) {
    const query = variant === '' ? '' : `?variant=${encodeURIComponent(variant)}`;
    const view = await callAdmin<DisagreementsView>(access, 'GET', `${path}/disagreements${query}`);
    return json ? JSON.stringify(view) : disagreementsText(view);
  }
  const view = await callAdmin<ComparisonView>(access, 'GET', `${path}/comparison`);
  const shown = variant === '' ? view : { ...view, pairs: view.pairs.filter((pair) => pair.variant === variant) };
  return json ? JSON.stringify(shown) : comparisonText(shown);
}
