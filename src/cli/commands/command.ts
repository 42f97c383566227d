import type { Exit } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';

/** One word of the CLI. */
export interface Command {
  readonly name: string;
  /** Arguments as the help shows them. */
  readonly usage: string;
  readonly summary: string;
  /** What may stand behind the name, where it is one of a few words. */
  readonly words?: readonly string[];
  readonly examples: readonly string[];
  /** Resolves with the exit code; throws CliError to say why not. */
  run(args: readonly string[], terminal: Terminal): Promise<Exit>;
}
