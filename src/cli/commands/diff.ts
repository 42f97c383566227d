import { changeText, pathText } from '../../config/change-text.ts';
import { type AppliedBy, type ConfigChange, diffConfigs } from '../../config/config-diff.ts';
import { loadConfig } from '../../config/load-config.ts';
import { readArgs } from '../command-args.ts';
import { CliError, Exit } from '../exit-codes.ts';
import type { Command } from './command.ts';

/** Says what a new config would change and how each change would come into effect. Asks no gateway. */
export const diff: Command = {
  name: 'diff',
  usage: 'diff <new> [--config CURRENT] [--json]',
  summary: 'List what a new config changes against the current one (SLUICE_CONFIG by default); exit 1 when there is a change.',
  examples: ['sluice diff new.yaml --config config/demo.yaml', 'SLUICE_CONFIG=/etc/sluice/config.yaml sluice diff new.yaml'],
  run(args, terminal) {
    const { values, positionals } = parseDiff(args);
    const current = values.config ?? process.env['SLUICE_CONFIG'];
    if (positionals.length !== 1 || current === undefined || current === '') {
      throw new CliError(Exit.Usage, `Usage: sluice ${diff.usage}\nName the current config by --config or by SLUICE_CONFIG.`);
    }
    const changes = diffConfigs(loadConfig(current).config, loadConfig(positionals[0]!).config);
    terminal.out(values.json === true ? JSON.stringify(changes.map(shown)) : report(changes));
    return Promise.resolve(changes.length === 0 ? Exit.Ok : Exit.Failed);
  },
};

const parseDiff = (args: readonly string[]) =>
  readArgs(args, diff.usage, { config: { type: 'string' }, json: { type: 'boolean' } });

const shown = (change: ConfigChange): object => ({
  path: pathText(change.path),
  is: change.is,
  text: changeText(change),
  appliedBy: change.appliedBy,
});

const WAYS: readonly (readonly [AppliedBy, string])[] = [
  ['plan', 'by a new traffic plan, as a weight change on the admin port'],
  ['workers', 'by new worker processes'],
  ['restart', 'by a restart of the whole gateway'],
];

function report(changes: readonly ConfigChange[]): string {
  if (changes.length === 0) return 'No change.';
  const lines = [`${changes.length} ${changes.length === 1 ? 'change' : 'changes'}:`];
  for (const [way, title] of WAYS) {
    const these = changes.filter((change) => change.appliedBy === way);
    if (these.length === 0) continue;
    lines.push('', `${title}:`, ...these.map((change) => `  ${pathText(change.path)}: ${changeText(change)}`));
  }
  return lines.join('\n');
}
