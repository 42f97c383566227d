import { availableParallelism } from 'node:os';
import type { Config } from '../config/schema.ts';
import { ThreadPool } from '../gateway/offload/thread-pool.ts';
import type { Log } from '../telemetry/access-log.ts';

/** Threads where config leaves their number open. */
const MAX_THREADS = 4;

/** The threads for long work as config wants them. */
export function buildOffloadPool(config: Config['offload'], log: Log): ThreadPool {
  return new ThreadPool({
    ...config,
    threads: config.threads ?? offloadThreads(),
    onThreadEnded: (reason) => log.warn('offload thread ended', { reason }),
  });
}

/** One core stays for the event loop where there are several. */
export const offloadThreads = (): number => Math.max(1, Math.min(MAX_THREADS, availableParallelism() - 1));
