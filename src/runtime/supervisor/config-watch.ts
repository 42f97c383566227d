import { createHash } from 'node:crypto';
import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { ReloadConfig } from '../../config/process-schema.ts';

/**
 * Tells when a file says something new. It watches the folder, since editors and orchestrators put another file in the place of the first,
 * and looks at intervals, since not every file system tells.
 */
export class ConfigWatch {
  readonly #file: string;
  readonly #config: ReloadConfig;
  readonly #changed: () => void;
  #watcher: FSWatcher | null = null;
  #poll: NodeJS.Timeout | null = null;
  #settle: NodeJS.Timeout | null = null;
  /** What was told of last. */
  #digest = '';
  /** What the last look has found. */
  #seen = '';

  constructor(file: string, config: ReloadConfig, changed: () => void) {
    this.#file = file;
    this.#config = config;
    this.#changed = changed;
  }

  start(): void {
    this.#digest = this.#read();
    // Not between the two looks at a change, which must lie apart.
    this.#poll = setInterval(() => this.#settle === null && this.#look(), this.#config.pollMs).unref();
    try {
      this.#watcher = watch(dirname(this.#file), { persistent: false }, () => this.#hint());
      // Too many watches on the machine, or a folder that was removed: looking at intervals goes on.
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      // This file system tells nothing; looking at intervals is what is left.
      this.#watcher = null;
    }
  }

  /** What the file says now is known: only what it says after this is news, and be it what it said before. */
  see(): void {
    const digest = this.#read();
    if (digest !== '') this.#digest = digest;
  }

  close(): void {
    this.#watcher?.close();
    if (this.#poll !== null) clearInterval(this.#poll);
    if (this.#settle !== null) clearTimeout(this.#settle);
  }

  /** A file is written in steps: what it says counts when it has been quiet for a while. */
  #hint(): void {
    if (this.#settle !== null) clearTimeout(this.#settle);
    this.#settle = setTimeout(() => {
      this.#settle = null;
      this.#look();
    }, this.#config.settleMs);
  }

  #look(): void {
    const digest = this.#read();
    const isSettled = digest === this.#seen;
    this.#seen = digest;
    // While it is not there it says nothing: it may be on its way from one name to another.
    if (digest === '' || digest === this.#digest) return;
    // Half of a file may be a valid config without the models of its other half: what counts is what two looks have found.
    if (!isSettled) {
      this.#hint();
      return;
    }
    this.#digest = digest;
    this.#changed();
  }

  #read(): string {
    try {
      return createHash('sha256').update(readFileSync(this.#file)).digest('hex');
    } catch {
      // Whoever reads the file to use it says what is wrong with it.
      return '';
    }
  }
}
