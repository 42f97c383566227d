import type { Reached } from '../../../core/control-plane.ts';

/** What has come of a transition of a rollout. */
export type Outcome =
  | { readonly is: 'applied'; readonly workers: Reached | null }
  | { readonly is: 'conflict' | 'unaudited' | 'unkept'; readonly problem: string };

export const APPLIED: Outcome = { is: 'applied', workers: null };
export const refusal = (problem: string): Outcome => ({ is: 'conflict', problem });
