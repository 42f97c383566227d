import type { AdminAnswer } from './admin-answer.ts';

/** What is known of a key of somebody. */
export type Known =
  /** Do it, and say with `settle` what came of it. */
  | { readonly is: 'new' }
  | { readonly is: 'running' }
  /** It was used for another request. */
  | { readonly is: 'other' }
  | { readonly is: 'done'; readonly answer: AdminAnswer };

interface Entry {
  readonly digest: string;
  /** Null while it runs. */
  readonly answer: AdminAnswer | null;
  readonly expiresMs: number;
  readonly bytes: number;
}

export interface IdempotentLimits {
  readonly keepMs: number;
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** A day, as clients that retry expect; some thousand changes. */
export const IDEMPOTENT_LIMITS: IdempotentLimits = { keepMs: 86_400_000, maxEntries: 4_096, maxBytes: 8 * 1024 * 1024 };

/** What an entry takes besides its answer. */
const ENTRY_BYTES = 512;

/** Answers to changes by the key that their callers gave them, so that a change that is asked for again is not made again. */
export class IdempotentAnswers {
  readonly #limits: IdempotentLimits;
  readonly #nowMs: () => number;
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(limits: IdempotentLimits = IDEMPOTENT_LIMITS, nowMs: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  get usedBytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** What runs is bounded by the connections there are, and never makes room. */
  begin(key: string, digest: string): Known {
    const entry = this.#entries.get(key);
    if (entry === undefined || (entry.answer !== null && this.#nowMs() >= entry.expiresMs)) {
      this.#put(key, { digest, answer: null, expiresMs: Infinity, bytes: ENTRY_BYTES });
      return { is: 'new' };
    }
    if (entry.digest !== digest) return { is: 'other' };
    if (entry.answer === null) return { is: 'running' };
    this.#put(key, entry);
    return { is: 'done', answer: entry.answer };
  }

  /** What was refused is done anew when it is asked for again: it has changed nothing, or says what it has. So is what ended with no answer, null. */
  settle(key: string, digest: string, answer: AdminAnswer | null): void {
    if (answer === null || answer.status >= 300) {
      this.#drop(key);
      return;
    }
    const kept = answer.repeated === null ? answer : { ...answer, body: answer.repeated };
    const bytes = ENTRY_BYTES + Buffer.byteLength(kept.body);
    this.#put(key, { digest, answer: kept, expiresMs: this.#nowMs() + this.#limits.keepMs, bytes });
  }

  #put(key: string, entry: Entry): void {
    this.#drop(key);
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
    for (const [other, { answer }] of this.#entries) {
      if (this.#entries.size <= this.#limits.maxEntries && this.#bytes <= this.#limits.maxBytes) return;
      if (answer !== null) this.#drop(other);
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}
