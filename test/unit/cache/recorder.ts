import { cacheEntryOf } from '../../../src/cache/cache-entry.ts';
import type { SharedFault, Waiter } from '../../../src/cache/flights.ts';
import type { CacheEntry } from '../../../src/core/cache.ts';
import type { Millis } from '../../../src/core/units.ts';

export const ENTRY = cacheEntryOf(
  { outputs: [], computeUs: 0 },
  { model: 'm', variant: 'v', expiresMs: 1 as Millis, maxBytes: 1e6, keyChars: 44 },
);

/** A waiter that writes down what it hears and then reacts as a test tells it to. */
export class Recorder implements Waiter {
  readonly name: string;
  readonly log: string[];
  react: (heard: 'landed' | 'failed' | 'promoted') => void = () => {};

  constructor(name: string, log: string[] = []) {
    this.name = name;
    this.log = log;
  }

  onLanded(entry: CacheEntry): void {
    this.log.push(`${this.name} landed ${entry === ENTRY}`);
    this.react('landed');
  }

  onFailed({ kind, detail }: SharedFault): void {
    this.log.push(`${this.name} failed ${kind.code} ${detail}`);
    this.react('failed');
  }

  onPromoted(): void {
    this.log.push(`${this.name} promoted`);
    this.react('promoted');
  }
}
