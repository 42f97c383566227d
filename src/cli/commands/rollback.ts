import { CliError, Exit } from '../exit-codes.ts';
import { PLAN_USAGE, PlanLine, usageError } from '../plan-access.ts';
import type { Command } from './command.ts';

/** Puts an earlier plan of a model into force again. */
export const rollback: Command = {
  name: 'rollback',
  usage: `rollback <model> [--to REVISION] ${PLAN_USAGE}`,
  summary:
    'Put an earlier plan into force again, with the place of every caller; without --to the one before, and done again one further.',
  examples: [
    'sluice rollback digits',
    'sluice rollback digits --to 12 --reason "wrong answers"',
    'sluice rollback digits --dry-run',
  ],
  run(args, terminal) {
    const line = new PlanLine(rollback, args, { to: { type: 'string' } });
    if (line.words.length > 0) throw usageError(rollback);
    const to = line.text('to');
    if (to !== null && !/^[1-9]\d{0,14}$/.test(to))
      throw new CliError(Exit.Usage, `Found --to ${to}; expected a revision as \`sluice history\` lists them.`);
    // The plan is not read first: that would ask workers, and one that hangs would be waited for.
    return line.change(terminal, 'POST', '/rollback', { toRevision: to === null ? null : Number(to) });
  },
};
