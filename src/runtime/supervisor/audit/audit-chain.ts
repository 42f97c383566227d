import { createHash } from 'node:crypto';
import type { AuditEntry } from '../../../core/audit.ts';

/**
 * Lines of the audit record. Each is a JSON object that ends with the hash of the line before and its own:
 *
 *   {"seq":7,"time":…,"prev":"<64 hexadecimal digits>","hash":"<64 hexadecimal digits>"}
 *
 * The hash is SHA-256 over the bytes of the line as they stand, up to the comma before "hash". So there is nothing to bring into a
 * canonical form first, no two texts of one record, and no byte that may change unseen: sha256sum and a text editor can check it.
 */

/** Stands before the first line. */
export const GENESIS = '0'.repeat(64);
/** Longest line; a record is some hundred bytes. */
export const MAX_LINE_BYTES = 256 * 1024;

const SUFFIX = /^,"hash":"([0-9a-f]{64})"\}$/;
const SUFFIX_BYTES = ',"hash":""}'.length + 64;
const DIGEST = /^[0-9a-f]{64}$/;

/** One change to the data plane, as it is recorded before it takes effect. */
export interface AuditRecord {
  readonly action: string;
  readonly actor: string;
  readonly model: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly reason: string;
}

/** The line of an entry without its end. Throws where it is longer than a line may be. */
export function lineOf(entry: Omit<AuditEntry, 'hash'>): { readonly line: string; readonly hash: string } {
  const { seq, time, actor, role, action, model, before, after, reason, requestId, prev } = entry;
  const whole = JSON.stringify({ seq, time, actor, role, action, model, before, after, reason, requestId, prev });
  const body = whole.slice(0, -1);
  const hash = sha256(Buffer.from(body));
  const line = `${body},"hash":"${hash}"}`;
  const size = Buffer.byteLength(line);
  if (size > MAX_LINE_BYTES) throw new Error(`the record takes ${size} bytes; expected at most ${MAX_LINE_BYTES}`);
  return { line, hash };
}

/** The entry of a line without its end, or what is wrong with it by itself. */
export function entryOf(line: Buffer): AuditEntry | string {
  const cut = line.length - SUFFIX_BYTES;
  const suffix = cut < 0 ? null : SUFFIX.exec(line.toString('latin1', cut));
  if (suffix === null) return 'is no record: it does not end with its hash';
  const hash = suffix[1]!;
  const found = sha256(line.subarray(0, cut));
  if (found !== hash) return `was changed: its hash is ${found}, and it says ${hash}`;
  try {
    const entry = JSON.parse(line.toString('utf8')) as AuditEntry;
    const isWhole = Number.isSafeInteger(entry.seq) && typeof entry.prev === 'string' && DIGEST.test(entry.prev);
    return isWhole ? entry : 'is no record: it has no number or no hash of the line before';
  } catch {
    return 'is no record: it is not JSON';
  }
}

/** Follows a chain line by line. */
export class ChainCheck {
  /** Of the last good line; 0 before the first. */
  seq = 0;
  head = GENESIS;
  /** Whether the first line may be any, since the check begins in the middle of the file. */
  #anchored: boolean;

  constructor(from: 'start' | 'middle') {
    this.#anchored = from === 'start';
  }

  /** What is wrong with the next line, without its end; empty when it continues the chain. */
  next(line: Buffer): string {
    const entry = entryOf(line);
    if (typeof entry === 'string') return entry;
    if (this.#anchored) {
      if (entry.seq !== this.seq + 1)
        return `has the number ${entry.seq}, expected ${this.seq + 1}: lines were taken out, put in or swapped`;
      if (entry.prev !== this.head) return 'does not continue the line before it: lines were taken out, put in or swapped';
    }
    this.#anchored = true;
    this.seq = entry.seq;
    this.head = entry.hash;
    return '';
  }
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
