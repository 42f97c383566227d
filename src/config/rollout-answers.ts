import { z } from 'zod';

/** Answers of the admin API that concern rollouts. */

const text = z.string();
const whole = z.int().min(0);
const at = z.iso.datetime();
const state = z.enum(['running', 'waiting', 'paused', 'completed', 'rolled-back', 'aborted', 'superseded']);
const verdict = z.enum(['harm', 'good', 'unsure']);

const metric = z.object({
  metric: z.enum(['errors', 'latency', 'cost', 'disagreement']),
  stable: z.number(),
  canary: z.number(),
  effect: z.number().describe('In the units of the tolerance.'),
  low: z.number().nullable(),
  high: z.number().nullable().describe('Ends of the confidence sequence: valid however often it is looked at.'),
  tolerance: z.number(),
  pValue: z.number().describe('Always valid, against "within tolerance".'),
  requests: whole,
  cells: whole.describe('Cells of callers: the sampling unit.'),
  verdict,
});

export const rolloutAnswer = z.object({
  id: text,
  spec: z.object({
    model: text,
    variant: text,
    steps: z.array(z.object({ weightBp: whole, holdMs: whole, minRequests: whole, approvals: whole })),
    tolerance: z.object({ errors: z.number(), latency: z.number(), cost: z.number(), maxDisagreement: z.number() }),
    alpha: z.number(),
  }),
  state,
  step: z.int().min(-1).describe('Index into the steps; -1 before the first.'),
  stepStartedAt: at,
  startedBy: text,
  startedAt: at,
  reason: text,
  weightBp: whole.describe('Share of the canary that this state asks for.'),
  beforeBp: whole.describe('Its share before the first step, and after a rollback.'),
  pending: z.boolean().describe('The share that this state asks for is not known to be in force yet.'),
  problem: text.describe('Why it does not get on as it should; empty when all is well.'),
  approvedBy: z.array(text).describe('Who has approved the next step.'),
  judgement: z.object({ verdict, reason: text, metrics: z.array(metric) }).nullable(),
  transitions: z.array(
    z.object({
      at,
      from: z.union([state, z.literal('')]),
      to: state,
      step: z.int().min(-1),
      actor: text,
      reason: text,
    }),
  ),
});
export const rolloutsAnswer = z.object({ rollouts: z.array(rolloutAnswer) });
export const movedRolloutAnswer = rolloutAnswer.extend({
  workers: z.object({ acknowledged: whole, total: whole }).describe('How many worker processes have taken the change over.'),
});
