/** What a process prints: all of it until it has said a certain thing, and from then on the last of it, for when it fails. */

import type { Readable } from 'node:stream';

const TAIL_CHARS = 4_000;
/** A process that prints so much and not what is waited for will not say it. */
const HEAD_CHARS_MAX = 1_000_000;

export class OutputTail {
  /** Resolves when what was printed matches the pattern. */
  readonly matched: Promise<void>;
  /** All that was printed until then. */
  head = '';
  #tail = '';
  #onMatch: (() => void) | null = null;
  readonly #pattern: RegExp;

  constructor(pattern: RegExp) {
    this.#pattern = pattern;
    this.matched = new Promise((resolve) => {
      this.#onMatch = resolve;
    });
  }

  follow(stream: Readable): void {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => this.#add(text));
  }

  /** The last that was printed. */
  get text(): string {
    return this.#tail.trim();
  }

  #add(text: string): void {
    this.#tail = (this.#tail + text).slice(-TAIL_CHARS);
    if (this.#onMatch === null || this.head.length > HEAD_CHARS_MAX) return;
    this.head += text;
    if (!this.#pattern.test(this.head)) return;
    this.#onMatch();
    this.#onMatch = null;
  }
}
