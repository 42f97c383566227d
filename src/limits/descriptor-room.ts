import { readdirSync, readFileSync, statSync } from 'node:fs';

/** Connections let in between two looks at how many descriptors are open; backends and files take some meanwhile. */
const GRANT = 64;

export interface DescriptorSource {
  /** Descriptors this process may open. */
  readonly limit: number;
  /** Descriptors open now. */
  count(): number;
}

/**
 * Whether there is room for one more connection. A process without descriptors can neither accept nor call a backend nor open its log, so
 * new connections are turned away before it comes to that.
 */
export class DescriptorRoom {
  readonly #source: DescriptorSource;
  readonly #threshold: number;
  readonly #onChange: (isFull: boolean, open: number, limit: number) => void;
  #granted = 0;
  #full = false;

  /** `onChange` hears of the first connection turned away, and of the first let in after it. */
  constructor(source: DescriptorSource, maxPercent: number, onChange: (isFull: boolean, open: number, limit: number) => void) {
    this.#source = source;
    this.#threshold = Math.floor((source.limit * maxPercent) / 100);
    this.#onChange = onChange;
  }

  /** Asked once for each new connection. Looks once in a while, and each time while there is no room: no timer runs for it. */
  take(): boolean {
    if (this.#granted > 0) {
      this.#granted--;
      return true;
    }
    const open = this.#source.count();
    const isFull = open >= this.#threshold;
    if (isFull !== this.#full) {
      this.#full = isFull;
      this.#onChange(isFull, open, this.#source.limit);
    }
    if (isFull) return false;
    this.#granted = Math.min(GRANT, this.#threshold - open) - 1;
    return true;
  }
}

const LIMITS_FILE = '/proc/self/limits';
const DESCRIPTORS = '/proc/self/fd';

/** What Linux says of this process; null elsewhere, and where there is no limit. */
export function ownDescriptors(): DescriptorSource | null {
  if (process.platform !== 'linux') return null;
  const limit = Number(/^Max open files\s+(\d+)/m.exec(readFileSync(LIMITS_FILE, 'utf8'))?.[1] ?? Number.NaN);
  if (Number.isNaN(limit)) return null;
  // Since Linux 6.2 the size of the folder is the count, in 4 µs; before that it is 0, and the names have to be counted.
  const isCounted = statSync(DESCRIPTORS).size > 0;
  return { limit, count: isCounted ? () => statSync(DESCRIPTORS).size : () => readdirSync(DESCRIPTORS).length };
}
