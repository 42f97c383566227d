import { parseArgs } from 'node:util';
import type { PlanView, Reached, VariantView } from '../../core/control-plane.ts';
import { ACCESS_OPTIONS, type AdminAccess, callAdmin, findAdmin, reachedText } from '../admin-client.ts';
import { CliError, Exit } from '../exit-codes.ts';
import { showLive, untilInterrupted } from '../live-view.ts';
import { stateCell, type Terminal, table } from '../terminal.ts';
import type { Command } from './command.ts';

/** Shows how a model's traffic is split, or changes it. */
export const split: Command = {
  name: 'split',
  usage: 'split <model> [variant=percent …] [--reason TEXT] [--admin URL] [--token-file FILE] [--json] [--watch]',
  summary: "Show a model's traffic split, or set it; a variant goes by its name or, where one has it, its role.",
  examples: [
    'sluice split digits',
    'sluice split digits --watch',
    'sluice split digits stable=95 canary=5',
    'sluice split digits v2=0 --reason "wrong answers"',
  ],
  async run(args, terminal) {
    const { values, positionals } = parseSplit(args);
    const [model, ...assignments] = positionals;
    if (model === undefined) throw new CliError(Exit.Usage, `Usage: sluice ${split.usage}`);
    const access = findAdmin({ url: values.admin, tokenFile: values['token-file'] });
    const read = (): Promise<ShownPlan> => callAdmin<PlanView>(access, 'GET', `plans/${encodeURIComponent(model)}`);
    let plan = await read();
    if (assignments.length > 0) plan = await change(access, plan, assignments, values.reason ?? '');
    const text = (shown: ShownPlan): string => (values.json === true ? JSON.stringify(shown) : planTable(terminal, shown));
    if (values.watch === true) return showLive(terminal, { render: async () => text(await read()), signal: untilInterrupted() });
    terminal.out(text(plan));
    return Exit.Ok;
  },
};

function parseSplit(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        reason: { type: 'string' },
        ...ACCESS_OPTIONS,
        json: { type: 'boolean' },
        watch: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new CliError(Exit.Usage, `${(error as Error).message}\nUsage: sluice ${split.usage}`);
  }
}

function change(access: AdminAccess, plan: PlanView, assignments: readonly string[], reason: string): Promise<ShownPlan> {
  const weightsBp: Record<string, number> = {};
  for (const assignment of assignments) {
    const { who, bp } = parseAssignment(assignment);
    const name = resolveVariant(plan, who).name;
    if (Object.hasOwn(weightsBp, name)) throw new CliError(Exit.Usage, `"${name}" is given two weights.`);
    weightsBp[name] = bp;
  }
  return callAdmin<ShownPlan>(access, 'PUT', `plans/${encodeURIComponent(plan.model)}/weights`, {
    expectedRevision: plan.revision,
    weightsBp,
    reason,
  });
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

function resolveVariant(plan: PlanView, who: string): VariantView {
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

/** After a change also how far it has come. */
type ShownPlan = PlanView & { readonly workers?: Reached };

function planTable(terminal: Terminal, plan: ShownPlan): string {
  const rows = plan.variants.map((variant) => [
    variant.name,
    variant.role,
    (variant.weightBp / 100).toFixed(2),
    stateCell(terminal, variant.readiness),
    variant.backend,
    String(variant.attempts),
    String(variant.failures),
    variant.lastFault === '' ? '-' : variant.lastFault,
  ]);
  const head = ['variant', 'role', 'percent', 'state', 'backend', 'attempts', 'failures', 'last fault'];
  const reached = plan.workers === undefined ? '' : ` ${reachedText(plan.workers)}`;
  return `${plan.model}, revision ${plan.revision}${reached}\n${table(head, rows)}`;
}
