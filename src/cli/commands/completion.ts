import { CliError, Exit } from '../exit-codes.ts';
import type { Command } from './command.ts';

type Shell = 'bash' | 'zsh' | 'fish';

/** What can be completed of one word. */
interface Completed {
  readonly name: string;
  readonly words: readonly string[];
  readonly options: readonly string[];
}

/** Writes a script by which a shell completes words and options of `all`. */
export const completionOf = (all: () => Promise<readonly Command[]>): Command => ({
  name: 'completion',
  usage: 'completion <bash|zsh|fish>',
  words: ['bash', 'zsh', 'fish'],
  summary: 'Print a script by which a shell completes commands and options.',
  examples: ['source <(sluice completion bash)', 'sluice completion zsh > ~/.zfunc/_sluice', 'sluice completion fish | source'],
  async run(args, terminal) {
    const [shell, ...rest] = args;
    const write = shell === undefined || rest.length > 0 ? undefined : SCRIPTS[shell as Shell];
    if (write === undefined) throw new CliError(Exit.Usage, `Found "${args.join(' ')}"; expected bash, zsh or fish.`);
    terminal.out(write((await all()).map(completedOf)));
    return Exit.Ok;
  },
});

/** The usage line is the one place that names a command's options. */
function completedOf({ name, usage, words = [] }: Command): Completed {
  const options = new Set(usage.match(/--[a-z][a-z-]*/g) ?? []);
  return { name, words, options: [...options, '--help'] };
}

const SCRIPTS: Readonly<Record<Shell, (all: readonly Completed[]) => string>> = { bash, zsh, fish };

function bash(all: readonly Completed[]): string {
  return [
    '_sluice() {',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell reads it.
    '  local word="${COMP_WORDS[COMP_CWORD]}" choices',
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    choices="${namesOf(all)}"`,
    '  else',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell reads it.
    '    case "${COMP_WORDS[1]}" in',
    ...all.map(({ name, words, options }) => `      ${name}) choices="${[...words, ...options].join(' ')}" ;;`),
    '    esac',
    '  fi',
    '  # shellcheck disable=SC2207',
    '  COMPREPLY=($(compgen -W "$choices" -- "$word"))',
    '}',
    // Where nothing of ours fits, names of files do.
    'complete -o default -F _sluice sluice',
  ].join('\n');
}

function zsh(all: readonly Completed[]): string {
  return [
    '#compdef sluice',
    '_sluice() {',
    '  if (( CURRENT == 2 )); then',
    `    compadd -- ${namesOf(all)}`,
    '  else',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell reads it.
    '    case "${words[2]}" in',
    ...all.map(({ name, words, options }) => `      ${name}) compadd -- ${[...words, ...options].join(' ')} ;;`),
    '    esac',
    '    _files',
    '  fi',
    '}',
    'compdef _sluice sluice',
  ].join('\n');
}

function fish(all: readonly Completed[]): string {
  const behind = (name: string): string => `complete -c sluice -n '__fish_seen_subcommand_from ${name}'`;
  return [
    `complete -c sluice -n __fish_use_subcommand -a '${namesOf(all)}'`,
    ...all.flatMap(({ name, words, options }) => [
      ...(words.length === 0 ? [] : [`${behind(name)} -a '${words.join(' ')}'`]),
      ...options.map((option) => `${behind(name)} -l ${option.slice(2)}`),
    ]),
  ].join('\n');
}

const namesOf = (all: readonly Completed[]): string => [...all.map(({ name }) => name), 'help', 'version'].join(' ');
