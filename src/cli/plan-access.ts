import type { PlanView, VariantView } from '../core/control-plane.ts';
import { ACCESS_OPTIONS, type AdminAccess, callAdmin, findAdmin } from './admin-client.ts';
import { readArgs } from './command-args.ts';
import type { Command } from './commands/command.ts';
import { CliError, Exit } from './exit-codes.ts';
import { type PlannedChange, plannedText, planText, type ShownPlan } from './plan-text.ts';
import type { Terminal } from './terminal.ts';

/** How commands read plans and change them. */

export const PLAN_USAGE = '[--reason TEXT] [--dry-run] [--admin URL] [--token-file FILE] [--json]';

const PLAN_OPTIONS = {
  ...ACCESS_OPTIONS,
  reason: { type: 'string' },
  'dry-run': { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

interface OptionKind {
  readonly type: 'string' | 'boolean';
  readonly multiple?: boolean;
}

/** A command line about one model. */
export class PlanLine {
  readonly model: string;
  readonly words: readonly string[];
  readonly isJson: boolean;
  readonly access: AdminAccess;
  readonly #values: Readonly<Record<string, unknown>>;

  /** `more` are options besides those that all such commands have. */
  constructor(command: Command, args: readonly string[], more: Readonly<Record<string, OptionKind>> = {}) {
    const { values, positionals } = parse(command, args, more);
    const [model, ...words] = positionals;
    if (model === undefined) throw usageError(command);
    this.model = model;
    this.words = words;
    this.isJson = values['json'] === true;
    this.access = findAdmin({
      url: values['admin'] as string | undefined,
      tokenFile: values['token-file'] as string | undefined,
    });
    this.#values = values;
  }

  text(option: string): string | null {
    return (this.#values[option] as string | undefined) ?? null;
  }

  texts(option: string): readonly string[] {
    return (this.#values[option] as string[] | undefined) ?? [];
  }

  has(option: string): boolean {
    return this.#values[option] === true;
  }

  read(): Promise<ShownPlan> {
    return this.get<PlanView>('');
  }

  /** `path` stands behind the model. */
  get<Answer>(path: string): Promise<Answer> {
    return callAdmin<Answer>(this.access, 'GET', `plans/${encodeURIComponent(this.model)}${path}`);
  }

  /** Changes the plan, or asks what would become of it, and prints that. */
  async change(terminal: Terminal, method: 'PUT' | 'POST', path: string, body: object): Promise<Exit> {
    const order = { ...body, reason: this.text('reason') ?? '', dryRun: this.has('dry-run') };
    const url = `plans/${encodeURIComponent(this.model)}${path}`;
    const done = await callAdmin<ShownPlan | PlannedChange>(this.access, method, url, order);
    if (this.isJson) terminal.out(JSON.stringify(done));
    else terminal.out('dryRun' in done ? plannedText(done) : planText(terminal, done));
    return Exit.Ok;
  }
}

function parse(command: Command, args: readonly string[], more: Readonly<Record<string, OptionKind>>) {
  const { values, positionals } = readArgs(args, command.usage, { ...PLAN_OPTIONS, ...more });
  return { values: values as Readonly<Record<string, unknown>>, positionals };
}

export const usageError = (command: Command): CliError => new CliError(Exit.Usage, `Usage: sluice ${command.usage}`);

/** A variant by its name, its label or, where one alone has it, its role. */
export function resolveVariant(plan: PlanView, who: string): VariantView {
  const named = plan.variants.find((variant) => variant.name === who || variant.labels.includes(who));
  if (named !== undefined) return named;
  const byRole = plan.variants.filter((variant) => variant.role === who);
  if (byRole.length === 1) return byRole[0]!;
  const known = plan.variants.map((variant) => `${variant.name} (${variant.role})`).join(', ');
  throw new CliError(
    Exit.Usage,
    `"${who}" names ${byRole.length === 0 ? 'no variant' : 'several variants'} of ${plan.model}; there are ${known}.`,
  );
}
