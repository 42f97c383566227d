import { z } from 'zod';
import type { RequestStory } from '../core/request-story.ts';

/** Answers of the admin API that tell what has become of single requests. */

const text = z.string();
const whole = z.int().min(0);

const story = z.object({
  requestId: text,
  at: z.iso.datetime().describe('When it ended.'),
  traceId: text,
  face: text,
  method: text,
  path: text,
  tenant: text.describe('Empty for a stranger.'),
  keyId: text,
  model: text.describe('Empty where no model was found.'),
  placement: z
    .object({ variant: text, planRevision: whole, weightBp: whole, why: text })
    .nullable()
    .describe('Why it was given to its variant; null where none was chosen.'),
  answeredBy: text.describe('Empty where nobody answered.'),
  cache: text,
  attempts: whole.describe("Calls begun or refused at a variant's door."),
  failedTries: z.array(z.object({ variant: text, endpoint: text, code: text, durationUs: z.number() })),
  phases: z.array(z.object({ phase: text, durationUs: z.number(), decided: text })).describe('Those that ran, in order.'),
  fault: z.object({ code: text, phase: text, detail: text, message: text }).nullable().describe('Null where it was answered.'),
  rows: whole,
  costNanoUsd: z.number(),
  durationUs: z.number(),
}) satisfies z.ZodType<RequestStory>;

export const requestsAnswer = z.object({ requests: z.array(story) });
