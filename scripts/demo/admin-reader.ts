/** Reads what the demo shows from a gateway's admin API. */

import type { PlanView, WorkerView } from '../../src/core/control-plane.ts';
import type { SluiceProcess } from './sluice-process.ts';

/** A row of `GET usage`; money is decimal text, since it may not fit a number. */
export interface UsageRow {
  readonly tenant: string;
  readonly model: string;
  readonly variant: string;
  readonly requests: number;
  readonly failures: number;
  readonly cacheHits: number;
  readonly cost: string;
}

const READ_LIMIT_MS = 10_000;

export async function readPlans(sluice: SluiceProcess): Promise<readonly PlanView[]> {
  return ((await read(sluice, 'plans')) as { plans: readonly PlanView[] }).plans;
}

export async function readWorkers(sluice: SluiceProcess): Promise<readonly WorkerView[]> {
  return ((await read(sluice, 'workers')) as { workers: readonly WorkerView[] }).workers;
}

export async function readUsage(sluice: SluiceProcess): Promise<readonly UsageRow[]> {
  return ((await read(sluice, 'usage')) as { usage: readonly UsageRow[] }).usage;
}

async function read(sluice: SluiceProcess, path: string): Promise<unknown> {
  const response = await fetch(`${sluice.adminUrl}/admin/v1/${path}`, {
    headers: { authorization: `Bearer ${sluice.adminToken}` },
    signal: AbortSignal.timeout(READ_LIMIT_MS),
  });
  if (!response.ok) throw new Error(`Admin path ${path} of ${sluice.name} answered ${response.status}: ${await response.text()}`);
  return response.json();
}
