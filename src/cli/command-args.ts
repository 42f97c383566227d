import { type ParseArgsConfig, parseArgs } from 'node:util';
import { CliError, Exit } from './exit-codes.ts';

/** The words and options of a command line. Throws a CliError with the usage where it cannot be read. */
export function readArgs<const Options extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  usage: string,
  options: Options,
) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    throw new CliError(Exit.Usage, `${(error as Error).message}\nUsage: sluice ${usage}`);
  }
}
