import type { OverloadConfig } from '../config/overload-schema.ts';
import type { Clock } from '../core/clock.ts';
import { PressureLevel } from '../core/pressure.ts';
import { PacedCollection } from '../limits/paced-collection.ts';
import { Pressure } from '../limits/pressure.ts';
import { memoryLimitBytes, ProcessReader } from '../limits/process-reading.ts';
import type { Log } from '../telemetry/access-log.ts';

const POLL_MS = 250;

export interface PressureWatchOptions {
  /** Processes that share the memory. */
  readonly processes: number;
  /** Called at each reading while idle connections are to be closed. */
  readonly closeIdle: () => void;
  readonly log: Log;
  readonly clock: Clock;
}

/** Looks at memory and event loop of this process four times a second. */
export class PressureWatch {
  readonly pressure: Pressure;
  readonly #o: PressureWatchOptions;
  readonly #reader: ProcessReader;
  readonly #timer: NodeJS.Timeout;

  constructor(config: OverloadConfig['pressure'], options: PressureWatchOptions) {
    this.#o = options;
    this.#reader = new ProcessReader((config.memoryLimitBytes ?? memoryLimitBytes()) / options.processes);
    const thresholds = {
      noNewEntries: config.noNewEntriesPercent,
      noIdle: config.noIdlePercent,
      noNewWork: config.noNewWorkPercent,
      loopDelayMs: config.loopDelayMs,
    };
    // There for processes that were started with --expose-gc, as workers are.
    const collection = new PacedCollection(globalThis.gc ?? nothing, options.clock);
    this.pressure = new Pressure(
      thresholds,
      () => this.#reader.read(),
      () => collection.run(),
    );
    this.#timer = setInterval(() => this.#poll(), POLL_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#reader.close();
  }

  #poll(): void {
    const before = this.pressure.level;
    this.pressure.poll();
    const { level, reason, memoryShare } = this.pressure;
    if (level > before) this.#o.log.warn('pressure', { level, reason, memoryShare });
    else if (level < before) this.#o.log.info('pressure', { level, reason, memoryShare });
    if (level >= PressureLevel.NoIdle) this.#o.closeIdle();
  }
}

const nothing = (): void => undefined;
