import { PLAN_USAGE, PlanLine, resolveVariant, usageError } from '../plan-access.ts';
import type { Command } from './command.ts';

/** Gives all of a model's traffic to one variant. */
const switchTo: Command = {
  name: 'switch',
  usage: `switch <model> <variant> ${PLAN_USAGE}`,
  summary: "Give all of a model's traffic to one variant, blue to green; `sluice rollback` puts every caller back.",
  examples: ['sluice switch digits canary --reason "green is good"', 'sluice switch digits v2 --dry-run'],
  async run(args, terminal) {
    const line = new PlanLine(switchTo, args);
    const [who, ...rest] = line.words;
    if (who === undefined || rest.length > 0) throw usageError(switchTo);
    const plan = await line.read();
    const body = { variant: resolveVariant(plan, who).name, expectedRevision: plan.revision };
    return line.change(terminal, 'POST', '/switch', body);
  },
};

export { switchTo as switch };
