import type { RolloutControl, RolloutResult } from '../../src/core/rollout.ts';

const UNKNOWN: RolloutResult = { is: 'unknown' };
const unknown = (): Promise<RolloutResult> => Promise.resolve(UNKNOWN);

/** A gateway that has no rollouts. */
export const NO_ROLLOUTS: RolloutControl = {
  list: () => [],
  find: () => null,
  start: unknown,
  pause: unknown,
  resume: unknown,
  approve: unknown,
  promote: unknown,
  abort: unknown,
};
