import { totalmem } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { KeptMemory } from './kept-memory.ts';
import type { PressureReading } from './pressure.ts';

const LOOP_RESOLUTION_MS = 20;
const NANOS_PER_MS = 1e6;

/** Reads memory and the event loop of this process. */
export class ProcessReader {
  readonly #heapLimitBytes = getHeapStatistics().heap_size_limit;
  readonly #limitBytes: number;
  readonly #kept = new KeptMemory();
  readonly #loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });

  /** `limitBytes` is what this process may use of the container's memory. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
    this.#loop.enable();
  }

  read(): PressureReading {
    const memory = process.memoryUsage();
    const outside = memory.rss - memory.heapTotal;
    // What is resident and free, in the heap and beside it, will be used again before more is taken, so it is not in the way of anything.
    const resident = outside - this.#kept.read(memory.external, outside) + memory.heapUsed;
    const taken = Math.max(memory.heapUsed + memory.external, resident);
    const memoryShare = Math.max(memory.heapUsed / this.#heapLimitBytes, taken / this.#limitBytes);
    // The monitor records whole intervals between its ticks; without any it was reset within one.
    const intervalMs = this.#loop.count === 0 ? 0 : this.#loop.mean / NANOS_PER_MS;
    this.#loop.reset();
    return { memoryShare, loopDelayMs: Math.max(0, intervalMs - LOOP_RESOLUTION_MS) };
  }

  close(): void {
    this.#loop.disable();
  }
}

/** Memory that all processes of this container may use together; the machine's where no container sets a limit. */
export function memoryLimitBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
