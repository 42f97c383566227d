import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, type Stats, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { AdminCaller } from '../../../core/admin-access.ts';
import type { AuditEntry, AuditHead, AuditPage, AuditReader } from '../../../core/audit.ts';
import { syncFolder } from '../plans/durable-file.ts';
import { type AuditRecord, GENESIS, lineOf } from './audit-chain.ts';
import { pageOf, type Tail, tailOf } from './audit-tail.ts';

export interface AuditFileOptions {
  readonly wallMs: () => number;
  /** Who asks now; null where nobody does. */
  readonly caller: () => AdminCaller | null;
  /** Hears of each record that stands. */
  readonly onRecord: (entry: AuditEntry) => void;
}

/** Bytes of a torn line that the record of its repair keeps. */
const MAX_TORN_SHOWN = 4_096;
const NO_PAGE: AuditPage = { records: [], unreadable: 0, next: null };

/**
 * Appends chained lines and waits for the disk: changes are rare, and one that is not on record never was allowed.
 *
 * Before each line it looks whether the file is still the one it has written: one that was moved away is begun anew, with the head of the
 * former one in its first line. One whose chain does not hold is not written to: changes are refused until it is moved away.
 */
export class AuditFile implements AuditReader {
  readonly #file: string;
  readonly #o: AuditFileOptions;
  /** Kept also while its file is refused: so no other file can take the number that this one is known by. */
  #fd = -1;
  #usable = false;
  /** Null before the first opening. */
  #stat: Stats | null = null;
  #sizeBytes = 0;
  #seq = 0;
  #hash = GENESIS;
  #problem = '';
  /** Cut off the file, and not on record yet. */
  #torn: Buffer = Buffer.alloc(0);

  /** Never throws: what is wrong stands in `head`, and is thrown at each attempt to write. */
  constructor(file: string, options: AuditFileOptions) {
    this.#file = file;
    this.#o = options;
    try {
      this.#ensure();
    } catch {
      // It is kept as the problem, and tried again before each record.
    }
  }

  get head(): AuditHead {
    return { seq: this.#seq, hash: this.#hash, problem: this.#problem };
  }

  /** Throws when the record cannot be written, and then the change must not happen. */
  write(record: AuditRecord): void {
    this.#ensure();
    try {
      this.#append(record);
      this.#problem = '';
    } catch (error) {
      this.#problem = (error as Error).message;
      throw error;
    }
  }

  page(limit: number, before: number | null): AuditPage {
    const stat = statOf(this.#file);
    if (stat === null || !stat.isFile()) return NO_PAGE;
    const fd = openSync(this.#file, 'r');
    try {
      return pageOf(fd, fstatSync(fd).size, limit, before);
    } finally {
      closeSync(fd);
    }
  }

  close(): void {
    closeIfOpen(this.#fd);
    this.#fd = -1;
  }

  #ensure(): void {
    if (this.#usable && this.#isOurs()) return;
    this.#usable = false;
    try {
      this.#open();
      this.#usable = true;
    } catch (error) {
      this.#problem = (error as Error).message;
      throw error;
    }
  }

  /** Still at its place, and as long as we left it. */
  #isOurs(): boolean {
    const stat = statOf(this.#file);
    return stat !== null && this.#stat !== null && isSame(stat, this.#stat) && stat.size === this.#sizeBytes;
  }

  #open(): void {
    if (statOf(this.#file)?.isFile() === false)
      throw new Error(`${this.#file} is no plain file; expected one that can be read back`);
    const fd = openSync(this.#file, 'a+', 0o600);
    const former = { fd: this.#fd, stat: this.#stat, seq: this.#seq, hash: this.#hash };
    this.#fd = fd;
    const stat = fstatSync(fd);
    this.#stat = stat;
    try {
      // A file that is new exists for sure when its folder is on the disk too.
      if (stat.size === 0) syncFolder(dirname(this.#file));
      this.#take(stat, former.stat);
    } catch (error) {
      if (error instanceof BrokenChain) {
        closeIfOpen(former.fd);
        throw error;
      }
      // Nothing is known of it yet on the disk: the next attempt must name the former file still.
      closeSync(fd);
      this.#fd = former.fd;
      this.#stat = former.stat;
      this.#seq = former.seq;
      this.#hash = former.hash;
      throw error;
    }
    closeIfOpen(former.fd);
  }

  /** Goes on where the file that was opened ends. */
  #take(stat: Stats, former: Stats | null): void {
    const tail = tailOf(this.#fd, stat.size);
    if (tail.problem !== '') throw this.#broken(tail.problem);
    if (former !== null && !isSame(former, stat)) this.#succeed(tail);
    else if (this.#seq === 0 || tail.hashes.has(this.#hash)) this.#adopt(tail);
    else throw this.#broken(`lines up to number ${this.#seq} are missing`);
  }

  #adopt({ seq, head, endBytes, torn }: Tail): void {
    this.#seq = seq;
    this.#hash = head;
    this.#sizeBytes = endBytes;
    this.#problem = '';
    if (torn.length > 0) {
      // Whoever wrote it has never been told that it stood, so what it would have recorded has not happened.
      ftruncateSync(this.#fd, endBytes);
      // What an attempt to note this has left behind is not what was torn.
      if (this.#torn.length === 0) this.#torn = torn;
    }
    if (this.#torn.length === 0) return;
    const text = this.#torn.toString('utf8', 0, MAX_TORN_SHOWN);
    const lost = { bytes: this.#torn.length, text };
    this.#note('audit.repair', lost, 'the last line was not written to its end, and was cut');
    this.#torn = Buffer.alloc(0);
  }

  /** Another file is at its place. */
  #succeed(tail: Tail): void {
    const former = { seq: this.#seq, hash: this.#hash };
    this.#adopt(tail);
    this.#note('audit.begin', former, 'another file is in the place of the former one, whose last line this names');
  }

  #note(action: string, before: unknown, reason: string): void {
    this.#append({ action, actor: 'gateway', model: '', before, after: null, reason });
  }

  #append(record: AuditRecord): void {
    const caller = this.#o.caller();
    // What runs on behind a request, as a judge does, is not done by whoever made the request.
    const asked = caller !== null && caller.actor === record.actor;
    const bare = {
      seq: this.#seq + 1,
      time: new Date(this.#o.wallMs()).toISOString(),
      actor: record.actor,
      role: asked ? caller.role : '',
      action: record.action,
      model: record.model,
      before: record.before,
      after: record.after,
      reason: record.reason,
      requestId: asked ? caller.requestId : '',
      prev: this.#hash,
    };
    const { line, hash } = lineOf(bare);
    const bytes = Buffer.from(`${line}\n`);
    try {
      writeWhole(this.#fd, bytes);
      fsyncSync(this.#fd);
    } catch (error) {
      this.#cutBack();
      throw error;
    }
    this.#seq = bare.seq;
    this.#hash = hash;
    this.#sizeBytes += bytes.length;
    this.#o.onRecord({ ...bare, hash });
  }

  /** A full disk may have taken a part of the line: the next record must not be glued to it. */
  #cutBack(): void {
    try {
      ftruncateSync(this.#fd, this.#sizeBytes);
    } catch {
      // The next look finds the torn line. The error that matters is the one of the write.
    }
  }

  #broken(what: string): BrokenChain {
    return new BrokenChain(
      `${this.#file}: ${what}. Changes are refused until that file is moved away; the next one then begins another. See: sluice audit verify`,
    );
  }
}

class BrokenChain extends Error {}

const closeIfOpen = (fd: number): void => {
  if (fd >= 0) closeSync(fd);
};

const isSame = (a: Stats, b: Stats): boolean => a.ino === b.ino && a.dev === b.dev;

const statOf = (file: string): Stats | null => statSync(file, { throwIfNoEntry: false }) ?? null;

/** One call may take a part only; the call after it throws where there is no room. */
function writeWhole(fd: number, line: Buffer): void {
  let written = 0;
  while (written < line.length) written += writeSync(fd, line, written);
}
