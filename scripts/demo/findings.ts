/** All that the demo knows at its end, and the waits until the gateways have counted it. */

import type { PlanView } from '../../src/core/control-plane.ts';
import { readPlans, readUsage, type UsageRow } from './admin-reader.ts';
import type { Outcome } from './errand.ts';
import { Scrape } from './scrape.ts';
import type { SluiceProcess } from './sluice-process.ts';

export interface Findings {
  readonly outcomes: readonly Outcome[];
  /** From the first request to the last answer. */
  readonly tookMs: number;
  readonly gateway: Scrape;
  readonly canaryServer: Scrape;
  readonly plans: readonly PlanView[];
  readonly usage: readonly UsageRow[];
}

const SETTLE_LIMIT_MS = 15_000;
const POLL_MS = 150;

export async function gather(
  sluices: { readonly gateway: SluiceProcess; readonly canaryServer: SluiceProcess },
  outcomes: readonly Outcome[],
  tookMs: number,
): Promise<Findings> {
  const { gateway, canaryServer } = sluices;
  const settled = await settle(gateway, outcomes.length);
  const [theirs, plans, usage] = await Promise.all([Scrape.of(canaryServer.adminUrl), readPlans(gateway), readUsage(gateway)]);
  return { outcomes, tookMs, gateway: settled, canaryServer: theirs, plans, usage };
}

/** The answers to held-out samples that were sent for the first time. */
export function answersTo(outcomes: readonly Outcome[], model: string): Outcome[] {
  return outcomes.filter(({ errand, fault }) => errand.kind === 'sample' && errand.model === model && fault === '');
}

const copiesOf = (scrape: Scrape): number => scrape.sum('sluice_shadow_copies_total');

/** A request is counted when its last byte has left, and a shadow answers later still: waits until both counters stand still. */
async function settle(gateway: SluiceProcess, sent: number): Promise<Scrape> {
  const limitMs = performance.now() + SETTLE_LIMIT_MS;
  let before = await Scrape.of(gateway.adminUrl);
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    const now = await Scrape.of(gateway.adminUrl);
    const counted = now.sum('sluice_requests_total') >= sent && now.sum('sluice_shadow_queue_length') === 0;
    // What does not settle is for the checks to name.
    if ((counted && copiesOf(now) === copiesOf(before)) || performance.now() > limitMs) return now;
    before = now;
  }
}
