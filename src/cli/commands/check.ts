import { loadConfig } from '../../config/load-config.ts';
import { ConfigError } from '../../config/problem.ts';
import { preflight } from '../../runtime/preflight.ts';
import { CliError, Exit } from '../exit-codes.ts';
import type { Command } from './command.ts';

/** Reads a config and what it names, as `serve` would, and says what is wrong, without starting anything. */
export const check: Command = {
  name: 'check',
  usage: 'check <config>',
  summary: 'Say whether a config is valid; every problem with its path.',
  examples: ['sluice check config/demo.yaml'],
  run(args, terminal) {
    const [file, ...rest] = args;
    if (file === undefined || rest.length > 0) throw new CliError(Exit.Usage, `Usage: sluice ${check.usage}`);
    const loaded = loadConfig(file);
    const { config } = loaded;
    const problems = preflight(loaded, process.env);
    if (problems.length > 0) throw new ConfigError(loaded.file, problems);
    const models = Object.entries(config.models);
    const variants = models.reduce((sum, [, model]) => sum + model.variants.length, 0);
    terminal.out(`${file} is valid: ${models.length} models, ${variants} variants, ${config.tenants.length} tenants.`);
    return Promise.resolve(Exit.Ok);
  },
};
