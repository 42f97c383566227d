import type { Clock } from '../../../core/clock.ts';
import type { RolloutTransition } from '../../../core/rollout.ts';
import type { AuditLog } from '../audit-log.ts';
import type { PlanAccess } from './canary-share.ts';
import type { RolloutPace } from './canary-vitals.ts';
import type { EvidenceDesk } from './evidence-sums.ts';
import type { RolloutJudge } from './rollout-judge.ts';
import type { RolloutRecord } from './rollout-record.ts';
import type { RolloutStore } from './rollout-store.ts';

/** What all rollouts of a gateway live in. */
export interface RolloutHouse {
  readonly clock: Clock;
  readonly judge: RolloutJudge;
  readonly audit: AuditLog;
  readonly store: RolloutStore;
  readonly plans: PlanAccess;
  readonly evidence: EvidenceDesk;
  /** Also of a model that the config has no more. */
  readonly pace: (model: string) => RolloutPace;
  /** Hears of every transition when it is in force. */
  readonly told: (record: RolloutRecord, transition: RolloutTransition) => void;
  /** Hears once of each thing that keeps it from going on, and of the end of it by an empty text. */
  readonly stuck: (record: RolloutRecord, problem: string) => void;
}
