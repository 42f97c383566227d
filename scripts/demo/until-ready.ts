/** Waits until a gateway's variants may carry traffic: it serves as soon as its model files are loaded, and asks servers again until they answer. */

import { readPlans } from './admin-reader.ts';
import type { SluiceProcess } from './sluice-process.ts';

const READY_LIMIT_MS = 20_000;
const POLL_MS = 50;

/** Rejects with what each variant that is not ready waits for. */
export async function untilReady(sluice: SluiceProcess): Promise<void> {
  const limitMs = performance.now() + READY_LIMIT_MS;
  for (;;) {
    const variants = (await readPlans(sluice)).flatMap(({ model, variants }) => variants.map((each) => ({ model, ...each })));
    const waiting = variants.filter(({ readiness }) => readiness !== 'ready');
    if (waiting.length === 0) return;
    if (performance.now() > limitMs) {
      const reasons = waiting.map(({ model, name, reason }) => `${name} of ${model}: ${reason}`);
      throw new Error(`${sluice.name} has variants that are not ready after ${READY_LIMIT_MS / 1000} s. ${reasons.join('; ')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
