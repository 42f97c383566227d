import { pinKey } from '../../config/plan-checks.ts';
import type { PlanView } from '../../core/control-plane.ts';
import type { Pin } from '../../core/traffic.ts';
import { CliError, Exit } from '../exit-codes.ts';
import { PLAN_USAGE, PlanLine, resolveVariant } from '../plan-access.ts';
import { table } from '../terminal.ts';
import type { Command } from './command.ts';

/** Shows who goes to one variant whatever the weights say, or changes that. */
export const pins: Command = {
  name: 'pins',
  usage: `pins <model> [tenant:ID=variant …] [header:NAME:VALUE=variant …] [--remove tenant:ID …] [--remove header:NAME:VALUE …] ${PLAN_USAGE}`,
  summary: 'Show, add and remove pins: tenants, or header fields of one value, that go to one variant whatever the weights say.',
  examples: [
    'sluice pins digits',
    'sluice pins digits tenant:acme=v2 --reason "asked for it"',
    'sluice pins digits header:x-cohort:beta=canary',
    'sluice pins digits --remove tenant:acme',
  ],
  async run(args, terminal) {
    const line = new PlanLine(pins, args, { remove: { type: 'string', multiple: true } });
    const plan = await line.read();
    const removed = line.texts('remove');
    if (line.words.length === 0 && removed.length === 0) {
      const { model, revision } = plan;
      terminal.out(line.isJson ? JSON.stringify({ model, revision, pins: plan.pins }) : pinTable(plan));
      return Exit.Ok;
    }
    const left = without(plan, removed);
    const added = line.words.map((word) => parsePin(plan, word));
    const keys = new Set(added.map(pinKey));
    const next = [...left.filter((pin) => !keys.has(pinKey(pin))), ...added];
    return line.change(terminal, 'PUT', '', { expectedRevision: plan.revision, pins: next });
  },
};

function without({ model, pins: now }: PlanView, keys: readonly string[]): readonly Pin[] {
  for (const key of keys) {
    if (!now.some((pin) => pinKey(pin) === key))
      throw new CliError(Exit.Failed, `${model} has no pin ${key}; see \`sluice pins ${model}\`.`);
  }
  return now.filter((pin) => !keys.includes(pinKey(pin)));
}

function parsePin(plan: PlanView, word: string): Pin {
  const match = /^(?:tenant:([^:]+)|header:([^:]+):(.+))=([^=]+)$/.exec(word);
  if (match === null)
    throw new CliError(
      Exit.Usage,
      `Found "${word}"; expected tenant:acme=v2 or header:x-cohort:beta=v2, the variant behind the last "=".`,
    );
  const [, tenant, header, value, who] = match;
  const variant = resolveVariant(plan, who!).name;
  return tenant === undefined ? { header: header!.toLowerCase(), value: value!, variant } : { tenant, variant };
}

function pinTable({ model, revision, pins: now }: PlanView): string {
  const rows = now.map((pin) => [pinKey(pin), pin.variant]);
  return `${model}, revision ${revision}\n${rows.length === 0 ? 'no pins' : table(['pin', 'variant'], rows)}`;
}
