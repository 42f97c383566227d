import type { RolloutMetric, RolloutSpec } from '../../src/core/rollout.ts';
import { WHOLE_BP } from '../../src/core/units.ts';
import { alphaOfEpoch } from '../../src/router/rollout/alpha.ts';
import { judge } from '../../src/router/rollout/judge.ts';
import { type Move, nextMove } from '../../src/router/rollout/step.ts';
import { callersOf } from './callers.ts';
import { Draws } from './draws.ts';
import { Traffic, type TrafficScene } from './traffic.ts';

/** How one simulated rollout went. */
export interface RolloutEnd {
  readonly end: 'completed' | 'rolled-back' | 'held';
  /** Steps taken before the end. */
  readonly step: number;
  readonly ticks: number;
  /** Of the canary, over all steps. */
  readonly requests: number;
  readonly badAnswers: number;
  /** Which metrics were said to be harmed. */
  readonly harmed: readonly RolloutMetric[];
}

export interface RolloutScene extends TrafficScene {
  readonly seed: number;
  readonly spec: RolloutSpec;
  /** Given up, as held, after so many looks at one step. */
  readonly ticksAStep: number;
}

const MS_A_TICK = 1_000;

/** A whole rollout with the judge and the steps of the gateway, looked at in every tick. */
export function runRollout(scene: RolloutScene): RolloutEnd {
  const draws = new Draws(scene.seed);
  const callers = callersOf(scene.callers, draws);
  const so = { ticks: 0, requests: 0, badAnswers: 0 };
  for (let step = 0; ; step++) {
    const share = scene.spec.steps[step]!.weightBp / WHOLE_BP;
    const traffic = new Traffic(draws, callers, scene, share);
    const { move, ticks, harmed } = runStep(scene, step, traffic);
    so.ticks += ticks;
    so.requests += traffic.requests;
    so.badAnswers += traffic.badAnswers;
    if (move === 'complete') return { end: 'completed', step, ...so, harmed };
    if (move === 'roll-back') return { end: 'rolled-back', step, ...so, harmed };
    if (move !== 'advance') return { end: 'held', step, ...so, harmed };
  }
}

interface StepEnd {
  readonly move: Move['move'];
  readonly ticks: number;
  readonly harmed: readonly RolloutMetric[];
}

function runStep(scene: RolloutScene, step: number, traffic: Traffic): StepEnd {
  const { spec } = scene;
  const alpha = alphaOfEpoch(spec.alpha, step);
  for (let ticks = 0; ticks <= scene.ticksAStep; ticks++) {
    const judgement = ticks === 0 ? null : judge(traffic.stable, traffic.canary, { tolerance: spec.tolerance, alpha });
    const standing = { step, msAtStep: ticks * MS_A_TICK, requests: traffic.requests, approvals: 0 };
    const { move } = nextMove(spec, standing, judgement);
    const harmed = judgement?.metrics.filter((one) => one.verdict === 'harm').map((one) => one.metric) ?? [];
    if (move !== 'hold') return { move, ticks, harmed };
    traffic.tick();
  }
  return { move: 'hold', ticks: scene.ticksAStep, harmed: [] };
}
