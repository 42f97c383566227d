import type { PlanView } from '../../core/control-plane.ts';
import { CliError, Exit } from '../exit-codes.ts';
import { showLive, untilInterrupted } from '../live-view.ts';
import { PLAN_USAGE, PlanLine, resolveVariant } from '../plan-access.ts';
import { planText, type ShownPlan } from '../plan-text.ts';
import type { Command } from './command.ts';

/** Shows how a model's traffic is split, or changes it. */
export const split: Command = {
  name: 'split',
  usage: `split <model> [variant=percent …] ${PLAN_USAGE} [--watch]`,
  summary: "Show a model's traffic split, or set it; a variant goes by its name or, where one has it, its role.",
  examples: [
    'sluice split digits',
    'sluice split digits --watch',
    'sluice split digits stable=95 canary=5',
    'sluice split digits canary=5 --dry-run',
    'sluice split digits v2=0 --reason "wrong answers"',
  ],
  async run(args, terminal) {
    const line = new PlanLine(split, args, { watch: { type: 'boolean' } });
    const plan = await line.read();
    if (line.words.length > 0) {
      const body = { expectedRevision: plan.revision, weightsBp: weightsOf(plan, line.words) };
      const code = await line.change(terminal, 'PUT', '/weights', body);
      if (!line.has('watch')) return code;
    }
    const text = (shown: ShownPlan): string => (line.isJson ? JSON.stringify(shown) : planText(terminal, shown));
    if (line.has('watch')) return showLive(terminal, { render: async () => text(await line.read()), signal: untilInterrupted() });
    terminal.out(text(plan));
    return Exit.Ok;
  },
};

function weightsOf(plan: PlanView, assignments: readonly string[]): Readonly<Record<string, number>> {
  const weightsBp: Record<string, number> = {};
  for (const assignment of assignments) {
    const { who, bp } = parseAssignment(assignment);
    const name = resolveVariant(plan, who).name;
    if (Object.hasOwn(weightsBp, name)) throw new CliError(Exit.Usage, `"${name}" is given two weights.`);
    weightsBp[name] = bp;
  }
  return weightsBp;
}

/** `canary=5` or `v2=0.01`: percent with at most two decimals. */
function parseAssignment(text: string): { who: string; bp: number } {
  const match = /^([^=]+)=(\d{1,3}(?:\.\d{1,2})?)%?$/.exec(text);
  const percent = match === null ? Number.NaN : Number(match[2]);
  if (match === null || percent > 100) {
    throw new CliError(
      Exit.Usage,
      `Found "${text}"; expected variant=percent with at most two decimals, such as canary=5 or v2=0.01.`,
    );
  }
  return { who: match[1]!, bp: Math.round(percent * 100) };
}
