import type { PlanView, Reached } from '../core/control-plane.ts';
import type { PlanEffect } from '../core/plan-control.ts';
import type { Pin } from '../core/traffic.ts';
import { reachedText } from './admin-client.ts';
import { stateCell, type Terminal, table } from './terminal.ts';

/** Plans, and what becomes of them, as commands print them. */

/** After a change also how far it has come, and whom it has moved. */
export interface ShownPlan extends PlanView {
  readonly workers?: Reached;
  readonly movedBp?: number;
  readonly moves?: PlanEffect['moves'];
  readonly unkept?: string;
}

/** What a dry run answers. */
export interface PlannedChange extends PlanEffect {
  readonly dryRun: true;
  readonly model: string;
}

export function planText(terminal: Terminal, plan: ShownPlan): string {
  const reached = plan.workers === undefined ? '' : ` ${reachedText(plan.workers)}`;
  const moved = plan.movedBp === undefined ? [] : [movedText(plan.movedBp, plan.moves ?? [])];
  const title = `${plan.model}, revision ${plan.revision}${reached}`;
  return [title, variantTable(terminal, plan), ...extrasOf(plan), ...moved, ...unkeptText(plan.unkept ?? '')].join('\n');
}

const unkeptText = (why: string): readonly string[] =>
  why === ''
    ? []
    : [`It serves, and a restart before there is room would bring the plan before back: it could not be kept (${why}).`];

export function plannedText({ model, before, after, movedBp, moves }: PlannedChange): string {
  const rows = Object.keys(after.weightsBp).map((name) => [
    name,
    percent(before.weightsBp[name] ?? 0),
    percent(after.weightsBp[name]!),
  ]);
  return [
    `${model} would go from revision ${before.revision} to ${after.revision}; nothing was changed`,
    table(['variant', 'before', 'after'], rows),
    ...extrasOf(after),
    movedText(movedBp, moves),
  ].join('\n');
}

export const percent = (bp: number): string => (bp / 100).toFixed(2);

/** As the command `pins` takes it. */
export const pinText = (pin: Pin): string =>
  `${'tenant' in pin ? `tenant:${pin.tenant}` : `header:${pin.header}:${pin.value}`}=${pin.variant}`;

function movedText(movedBp: number, moves: PlanEffect['moves']): string {
  const each = moves.map(({ from, to, bp }) => `${from} → ${to} ${percent(bp)} %`).join(', ');
  return `callers moved: ${percent(movedBp)} %${each === '' ? '' : ` (${each})`}`;
}

function extrasOf({ pins, fallbacks }: { readonly pins: readonly Pin[]; readonly fallbacks: readonly string[] }): string[] {
  const lines = [`fallbacks: ${fallbacks.length === 0 ? 'none' : fallbacks.join(', ')}`];
  return pins.length === 0 ? lines : [...lines, `pins: ${pins.map(pinText).join(' ')}`];
}

function variantTable(terminal: Terminal, { variants }: PlanView): string {
  const rows = variants.map((variant) => [
    variant.name,
    variant.role,
    percent(variant.weightBp),
    stateCell(terminal, variant.readiness),
    variant.backend,
    String(variant.attempts),
    String(variant.failures),
    variant.lastFault === '' ? '-' : variant.lastFault,
  ]);
  return table(['variant', 'role', 'percent', 'state', 'backend', 'attempts', 'failures', 'last fault'], rows);
}
