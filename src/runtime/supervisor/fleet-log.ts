import type { Log } from '../../telemetry/access-log.ts';
import { errorOf } from '../ipc/start-failure.ts';
import type { RollOutcome } from './fleet.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** What the log says of workers that come and go. */

export function tellReplacement(log: Log, { number, pid, reason, problem, failure }: WorkerHandle): void {
  const told = failure === null ? problem : errorOf(failure).message;
  log.error('worker ended; another takes its place', { worker: number, pid, reason, problem: told });
}

export function tellRestart(log: Log, outcome: RollOutcome): void {
  if (outcome.is === 'rolled') log.info('workers replaced', { generation: outcome.generation });
  if (outcome.is === 'failed') log.error('workers not replaced; the former ones go on', { reason: outcome.problem });
}
