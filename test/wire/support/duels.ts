import { SeededRandom } from '../../../scripts/models/seeded-random.ts';
import type { DuelEnd } from './duel.ts';

/** Sessions of each test; more of them, and others, where the environment says so. */
export const SESSIONS = Number(process.env['SLUICE_DIFFERENTIAL_SESSIONS'] ?? 1_000);
const FIRST_SEED = Number(process.env['SLUICE_DIFFERENTIAL_SEED'] ?? 1);
const AT_ONCE = 8;
const TURNS = 8;
const MANY_TURNS = 60;

export interface DuelsEnd {
  /** What is different, seed by seed. */
  readonly mismatches: readonly string[];
  /** The permits that it took to say so. */
  readonly used: ReadonlySet<string>;
  readonly steps: number;
}

/** `duelOf` is given a seed, and the turns after which all that is said counts as said. */
export async function duels(duelOf: (random: SeededRandom, turns: number) => Promise<DuelEnd>): Promise<DuelsEnd> {
  const mismatches: string[] = [];
  const used = new Set<string>();
  let steps = 0;
  let next = FIRST_SEED;
  const worker = async (): Promise<void> => {
    while (next < FIRST_SEED + SESSIONS) {
      const seed = next++;
      let end = await duelOf(new SeededRandom(seed), TURNS);
      // Whoever was late gets more time before it is called different.
      if (end.mismatch !== null) end = await duelOf(new SeededRandom(seed), MANY_TURNS);
      steps += end.steps;
      for (const name of end.permitted) used.add(name);
      if (end.mismatch !== null) mismatches.push(`seed ${seed}: ${JSON.stringify(end.mismatch, null, 1)}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return { mismatches, used, steps };
}
