import { CALLER_KINDS, type CallerKind } from './callers.ts';
import {
  edgeScene,
  FALSE_ROLLBACKS,
  GREAT_BAD_ANSWERS,
  HARM_CASES,
  type HarmCase,
  harmlessScene,
  harmScene,
  POWER,
  POWER_REQUESTS,
} from './plan.ts';
import { type RolloutEnd, runRollout } from './rollout-run.ts';

/** All simulated rollouts, and what they fell short of. */
export interface Findings {
  readonly harmless: ReadonlyMap<CallerKind, readonly RolloutEnd[]>;
  readonly edge: ReadonlyMap<CallerKind, readonly RolloutEnd[]>;
  readonly harm: ReadonlyMap<HarmCase, ReadonlyMap<CallerKind, readonly RolloutEnd[]>>;
}

/** Rollouts of each kind of callers. */
export interface Numbers {
  readonly harmless: number;
  readonly edge: number;
  readonly harm: number;
}

export function findings(numbers: Numbers): Findings {
  return {
    harmless: byKind((kind) => runs(numbers.harmless, (run) => runRollout(harmlessScene(kind, run)))),
    edge: byKind((kind) => runs(numbers.edge, (run) => runRollout(edgeScene(kind, run)))),
    harm: new Map(
      HARM_CASES.map((of) => [of, byKind((kind) => runs(numbers.harm, (run) => runRollout(harmScene(of, kind, run))))]),
    ),
  };
}

function byKind<T>(make: (kind: CallerKind) => T): Map<CallerKind, T> {
  return new Map(CALLER_KINDS.map((kind) => [kind, make(kind)]));
}

function runs<T>(count: number, make: (run: number) => T): T[] {
  return Array.from({ length: count }, (_, run) => make(run));
}

/** Sentences about what was demanded and not met; none when all is well. */
export function shortfalls({ harmless, edge, harm }: Findings): string[] {
  const found: string[] = [];
  for (const [name, ends] of [['harmless', harmless] as const, ['just tolerated', edge] as const]) {
    for (const [kind, of] of ends) {
      const share = rolledBack(of).length / of.length;
      if (share > FALSE_ROLLBACKS) found.push(`${percent(share)} of ${name} rollouts with ${kind} callers were rolled back`);
    }
  }
  for (const [of, ends] of harm) {
    const all = [...ends.values()].flat();
    const back = rolledBack(all);
    if (of.size === 'middle' && back.length < POWER * all.length) {
      found.push(
        `"${of.words}" was seen in ${percent(back.length / all.length)} within ${POWER_REQUESTS} requests of the canary`,
      );
    }
    const bad = quantile(
      back.map((one) => one.badAnswers),
      0.95,
    );
    if (of.size === 'great' && bad > GREAT_BAD_ANSWERS) found.push(`"${of.words}" took ${bad.toFixed(0)} bad answers to be seen`);
  }
  return found;
}

export function rolledBack(ends: readonly RolloutEnd[]): RolloutEnd[] {
  return ends.filter((one) => one.end === 'rolled-back');
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
