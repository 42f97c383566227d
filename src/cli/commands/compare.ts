import { parseArgs } from 'node:util';
import type { ComparisonView, DisagreementsView } from '../../core/comparison.ts';
import { ACCESS_OPTIONS, type AdminAccess, callAdmin, findAdmin } from '../admin-client.ts';
import { comparisonText, disagreementsText } from '../comparison-text.ts';
import { CliError, Exit } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import type { Command } from './command.ts';

const WATCH_MS = 2_000;
/** Home, then everything below: less flicker than a cleared screen. */
const FROM_THE_TOP = '\u001b[H\u001b[J';

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
    if (values.watch !== true) terminal.out(await textOf(look));
    else await watch(look, terminal);
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

function parseCompare(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        disagreements: { type: 'boolean' },
        variant: { type: 'string' },
        watch: { type: 'boolean' },
        ...ACCESS_OPTIONS,
        json: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new CliError(Exit.Usage, `${(error as Error).message}\nUsage: sluice ${compare.usage}`);
  }
}

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

/** Until it is interrupted. One view a line with --json. */
async function watch(look: Look, terminal: Terminal): Promise<never> {
  const clear = process.stdout.isTTY && !look.json ? FROM_THE_TOP : '';
  for (;;) {
    terminal.out(`${clear}${await textOf(look)}`);
    await new Promise((done) => setTimeout(done, WATCH_MS));
  }
}
