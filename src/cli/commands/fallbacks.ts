import { Exit } from '../exit-codes.ts';
import { PLAN_USAGE, PlanLine, resolveVariant } from '../plan-access.ts';
import type { Command } from './command.ts';

/** Shows or sets who answers where the chosen variant cannot. */
export const fallbacks: Command = {
  name: 'fallbacks',
  usage: `fallbacks <model> [variant … | none] ${PLAN_USAGE}`,
  summary: 'Show or set the variants that answer, in this order, where the chosen one cannot; stable, unless set otherwise.',
  examples: [
    'sluice fallbacks digits',
    'sluice fallbacks digits stable v2',
    'sluice fallbacks digits none --reason "let it fail"',
  ],
  async run(args, terminal) {
    const line = new PlanLine(fallbacks, args);
    const plan = await line.read();
    if (line.words.length === 0) {
      const { model, revision } = plan;
      const names = plan.fallbacks.length === 0 ? 'none' : plan.fallbacks.join(', ');
      const shown = { model, revision, fallbacks: plan.fallbacks };
      terminal.out(line.isJson ? JSON.stringify(shown) : `${model}, revision ${revision}\nfallbacks: ${names}`);
      return Exit.Ok;
    }
    const isNone = line.words.length === 1 && line.words[0] === 'none';
    const names = isNone ? [] : line.words.map((who) => resolveVariant(plan, who).name);
    return line.change(terminal, 'PUT', '', { expectedRevision: plan.revision, fallbacks: names });
  },
};
