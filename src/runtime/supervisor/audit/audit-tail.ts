import { readSync } from 'node:fs';
import type { AuditPage } from '../../../core/audit.ts';
import { ChainCheck, entryOf, GENESIS, MAX_LINE_BYTES } from './audit-chain.ts';

/** Reads an audit file from its end: the last lines are what matters, and the file may be large. */

/** Looked at when a file is opened: some thousand records. The whole is what `sluice audit verify` is for. */
const TAIL_BYTES = 1024 * 1024;
/** Read for one page at most. */
const PAGE_BYTES = 4 * 1024 * 1024;
const NEWLINE = 0x0a;

export interface Tail {
  readonly seq: number;
  readonly head: string;
  /** What is wrong with it; empty when the chain holds. */
  readonly problem: string;
  /** Where the last whole line ends. */
  readonly endBytes: number;
  /** What stands behind it: a line that was not written to its end. */
  readonly torn: Buffer;
  /** Hashes of the lines that were looked at. */
  readonly hashes: ReadonlySet<string>;
}

/** The end of a file of `size` bytes. */
export function tailOf(fd: number, size: number): Tail {
  const from = Math.max(0, size - TAIL_BYTES);
  const bytes = readAt(fd, from, size - from);
  const whole = bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1);
  const torn = bytes.subarray(whole.length);
  const hashes = new Set<string>();
  const tail = { endBytes: from + whole.length, torn, hashes };
  if (torn.length > MAX_LINE_BYTES) {
    return { ...tail, seq: 0, head: GENESIS, problem: `the last ${torn.length} bytes are no line` };
  }
  const check = new ChainCheck(from === 0 ? 'start' : 'middle');
  let at = from === 0 ? 0 : whole.indexOf(NEWLINE) + 1;
  while (at < whole.length) {
    const end = whole.indexOf(NEWLINE, at);
    const problem = check.next(whole.subarray(at, end));
    if (problem !== '') {
      return { ...tail, seq: check.seq, head: check.head, problem: `the line behind number ${check.seq} ${problem}` };
    }
    hashes.add(check.head);
    at = end + 1;
  }
  return { ...tail, seq: check.seq, head: check.head, problem: '' };
}

/** At most `limit` records that end at `before`, or at the end of the file. */
export function pageOf(fd: number, size: number, limit: number, before: number | null): AuditPage {
  const end = before === null || before > size ? size : before;
  const from = Math.max(0, end - PAGE_BYTES);
  const bytes = readAt(fd, from, end - from);
  const records: AuditPage['records'][number][] = [];
  let unreadable = 0;
  // What has no end yet is no line.
  let lineEnd = bytes.lastIndexOf(NEWLINE);
  while (lineEnd > 0 && records.length + unreadable < limit) {
    const start = bytes.lastIndexOf(NEWLINE, lineEnd - 1) + 1;
    if (start === 0 && from > 0) break;
    const entry = entryOf(bytes.subarray(start, lineEnd));
    if (typeof entry === 'string') unreadable++;
    else records.push(entry);
    lineEnd = start - 1;
  }
  const next = lineEnd < 0 || from + lineEnd + 1 >= end ? 0 : from + lineEnd + 1;
  return { records, unreadable, next: next === 0 ? null : next };
}

function readAt(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let read = 0;
  while (read < length) {
    const count = readSync(fd, bytes, read, length - read, position + read);
    if (count === 0) break;
    read += count;
  }
  return bytes.subarray(0, read);
}
