import type { Face, FaultScene, Told } from './fault-scene.ts';

/** Callers that ask on and on while something happens. */

export interface LoadOptions {
  readonly face: Face;
  readonly kind: string;
  /** Each asks again a moment after it was answered. */
  readonly callers: number;
}

const PAUSE_MS = 5;

/** All that the callers were told; each asks at least once. */
export async function underLoad(scene: FaultScene, options: LoadOptions, during: () => Promise<void>): Promise<Told[]> {
  const told: Told[] = [];
  let over = false;
  const caller = async (): Promise<void> => {
    do {
      told.push(await scene.ask(options.face, options.kind));
      await new Promise((done) => setTimeout(done, PAUSE_MS));
    } while (!over);
  };
  const callers = Array.from({ length: options.callers }, caller);
  try {
    await during();
  } finally {
    over = true;
    await Promise.all(callers);
  }
  return told;
}

/** So many requests a second for a while, whether or not they are answered. */
export async function atRate(
  scene: FaultScene,
  face: Face,
  model: string,
  rate: { perSecond: number; ms: number },
): Promise<Told[]> {
  const startedMs = performance.now();
  const asked: Promise<Told>[] = [];
  for (let elapsedMs = 0; elapsedMs < rate.ms; elapsedMs = performance.now() - startedMs) {
    while (asked.length < (elapsedMs * rate.perSecond) / 1000) asked.push(scene.ask(face, model));
    await new Promise((done) => setTimeout(done, PAUSE_MS));
  }
  return Promise.all(asked);
}
