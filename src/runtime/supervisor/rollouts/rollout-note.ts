import type { Operation } from '../../../core/control-plane.ts';
import { type AuditLog, recorded } from '../audit-log.ts';
import { type RolloutRecord, standingOf } from './rollout-record.ts';

/** Puts a transition on the audit record. Returns why it could not, or an empty text. */
export function noted(
  audit: AuditLog,
  action: string,
  before: RolloutRecord,
  after: RolloutRecord,
  { actor, reason }: Operation,
): string {
  const standings = { before: standingOf(before), after: standingOf(after) };
  return recorded(audit, { action: `rollout.${action}`, actor, model: after.spec.model, ...standings, reason });
}
