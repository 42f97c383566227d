import { needsOf, type RolloutRecord } from './rollout-record.ts';

/** What people may not do to a rollout, each as a sentence; empty where they may. */

const isServing = ({ state }: RolloutRecord): boolean => state === 'running' || state === 'waiting';

/** Why it is not in a state for that. */
export const isNot = ({ state }: RolloutRecord, what: string): string => `it is ${state}, and not ${what}`;

export function pauseProblem(record: RolloutRecord): string {
  return isServing(record) ? '' : isNot(record, 'running or waiting');
}

export function approvalProblem(record: RolloutRecord, actor: string): string {
  const { step, approvedBy, startedBy, riskTier } = record;
  if (!isServing(record)) return isNot(record, 'running or waiting');
  const needs = needsOf(record, step + 1);
  if (needs === 0) return 'the next step needs no approval';
  if (approvedBy.includes(actor)) return `"${actor}" has approved it already; it takes ${needs} people`;
  if (riskTier === 'low' || actor !== startedBy) return '';
  return `"${actor}" has started it; a model of ${riskTier} risk needs the approval of others`;
}

/** A promotion overrules the judge, and never those who have to approve. */
export function promotionProblem(record: RolloutRecord): string {
  const { step, pending, approvedBy } = record;
  if (!isServing(record)) return isNot(record, 'running or waiting');
  if (pending) return 'the share of its step is not in force yet; ask again in a moment';
  const needs = needsOf(record, step + 1);
  return approvedBy.length < needs ? `the next step needs ${needs} approvals and has ${approvedBy.length}` : '';
}
