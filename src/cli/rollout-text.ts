import type { MetricJudgement, RolloutView } from '../core/rollout.ts';
import { stateCell, type Terminal, table, toned } from './terminal.ts';

/** Rollouts as people read them. */

const percent = (weightBp: number): string => `${(weightBp / 100).toFixed(2)} %`;

const stepText = ({ step, spec }: RolloutView): string => `${step + 1} of ${spec.steps.length}`;

export function rolloutList(terminal: Terminal, all: readonly RolloutView[]): string {
  if (all.length === 0) return 'There are no rollouts; start one with: sluice rollout start <model>';
  const rows = all.map((view) => [
    view.id,
    view.spec.model,
    view.spec.variant,
    stateCell(terminal, view.state),
    stepText(view),
    percent(view.weightBp),
    view.startedBy,
    minuteOf(view.startedAt),
    whyOf(view),
  ]);
  return table(['id', 'model', 'canary', 'state', 'step', 'share', 'by', 'since', 'why'], rows);
}

export function rolloutText(terminal: Terminal, view: RolloutView): string {
  const { id, spec, state, weightBp, beforeBp, judgement, problem, stepStartedAt } = view;
  const lines = [
    `rollout ${id} of ${spec.model}: ${spec.variant} ${stateCell(terminal, state)}`,
    `step ${stepText(view)}, ${percent(weightBp)} of the traffic (${percent(beforeBp)} before), since ${minuteOf(stepStartedAt)}`,
  ];
  if (isLeaving(view)) lines.push(toned(terminal, 'bad', LEAVING));
  if (problem !== '') lines.push(toned(terminal, 'bad', `cannot go on: ${problem}`));
  const next = spec.steps[view.step + 1];
  if (next !== undefined && next.approvals > 0) lines.push(approvalText(view.approvedBy, next.approvals, next.weightBp));
  lines.push('', stepTable(view));
  if (judgement !== null) lines.push('', `judge: ${stateCell(terminal, judgement.verdict)}, ${judgement.reason}`);
  if (judgement !== null && judgement.metrics.length > 0) lines.push(metricTable(terminal, judgement.metrics));
  lines.push('', transitionTable(view));
  return lines.join('\n');
}

function approvalText(approvedBy: readonly string[], needs: number, weightBp: number): string {
  const who = approvedBy.length === 0 ? 'nobody yet' : approvedBy.join(', ');
  return `${percent(weightBp)} needs ${needs} approval${needs === 1 ? '' : 's'}: ${who}`;
}

function stepTable({ spec, step, state }: RolloutView): string {
  const isOver = state === 'completed';
  const rows = spec.steps.map(({ weightBp, holdMs, minRequests, approvals }, i) => [
    i < step || isOver ? 'done' : i === step ? 'now' : '',
    percent(weightBp),
    `${holdMs / 1_000} s`,
    String(minRequests),
    String(approvals),
  ]);
  return table(['', 'share', 'hold', 'requests', 'approvals'], rows);
}

function metricTable(terminal: Terminal, metrics: readonly MetricJudgement[]): string {
  const rows = metrics.map((metric) => [
    metric.metric,
    stateCell(terminal, metric.verdict),
    figure(metric.stable),
    figure(metric.canary),
    figure(metric.effect),
    `${figure(metric.low)} … ${figure(metric.high)}`,
    figure(metric.tolerance),
    figure(metric.pValue),
    String(metric.requests),
    String(metric.cells),
  ]);
  return table(['metric', 'verdict', 'stable', 'canary', 'effect', 'between', 'tolerated', 'p', 'requests', 'cells'], rows);
}

/** The last of them: the rest is in --json. */
const SHOWN_TRANSITIONS = 8;

function transitionTable({ transitions }: RolloutView): string {
  const rows = transitions
    .slice(-SHOWN_TRANSITIONS)
    .map(({ at, from, to, step, actor, reason }) => [
      at,
      from === to || from === '' ? to : `${from} → ${to}`,
      String(step + 1),
      actor,
      reason,
    ]);
  return table(['at', 'state', 'step', 'by', 'why'], rows);
}

/** JSON has no infinities: what is not bounded comes as null. */
function figure(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return '-';
  return Math.abs(value) >= 1_000 ? value.toFixed(0) : value.toPrecision(3);
}

const minuteOf = (iso: string): string => iso.slice(0, 16).replace('T', ' ');

function whyOf(view: RolloutView): string {
  const why = reasonOf(view);
  return why.length > 60 ? `${why.slice(0, 59)}…` : why;
}

const LEAVING = 'its share is still being taken away';

/** It has ended, and callers are at the canary still. */
const isLeaving = ({ pending, state }: RolloutView): boolean => pending && (state === 'rolled-back' || state === 'aborted');

function reasonOf(view: RolloutView): string {
  const { problem, state, judgement, transitions } = view;
  if (isLeaving(view)) return problem === '' ? LEAVING : `${LEAVING}: ${problem}`;
  if (problem !== '') return problem;
  // What it waits for says more than what has brought it here.
  if (state === 'running' && judgement?.verdict === 'unsure') return judgement.reason;
  return transitions.at(-1)?.reason ?? '';
}
