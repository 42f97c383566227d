import { z } from 'zod';
import { reached, variantView } from './admin-answers.ts';

/** Bodies that the admin API answers with where it is asked about plans. */

const text = z.string();
const whole = z.int().min(0);

const pin = z.union([z.object({ tenant: text, variant: text }), z.object({ header: text, value: text, variant: text })]);
const extras = {
  pins: z.array(pin).describe('Who goes to one variant whatever the weights say.'),
  fallbacks: z.array(text).describe('Who answers, in this order, where the chosen variant cannot.'),
};

export const planAnswer = z.object({ model: text, revision: whole, variants: z.array(variantView), ...extras });
export const plansAnswer = z.object({ plans: z.array(planAnswer) });

const facts = { revision: whole, weightsBp: z.record(text, whole), ...extras };
const moved = {
  movedBp: whole.describe('Callers who get another variant than before, basis points; pins come on top.'),
  moves: z.array(z.object({ from: text, to: text, bp: whole })),
};

const changedPlan = planAnswer.extend({
  ...moved,
  workers: reached,
  unkept: text.describe('Why it will not outlive this gateway yet; empty when it will.'),
});
const plannedChange = z.object({
  dryRun: z.literal(true),
  model: text,
  before: z.object(facts),
  after: z.object(facts),
  ...moved,
});
export const planChangeAnswers = z.union([plannedChange, changedPlan]);

const revision = z.object({
  ...facts,
  at: z.iso.datetime(),
  cause: z.enum(['config', 'admin', 'rollout', 'rollback']),
  actor: text,
  reason: text,
  restores: whole.describe('The revision it went back to; 0 when it went back to none.'),
});
export const historyAnswer = z.object({
  model: text,
  revision: whole.describe('The one in force.'),
  revisions: z.array(revision).describe('Newest first.'),
  problem: text.describe('What is wrong with the history; empty when nothing is.'),
});
export const revisionAnswer = revision.extend({
  model: text,
  slots: text.describe('Who has which of the 10,000 slots, in runs: "v1:9500 v2:500".'),
});
