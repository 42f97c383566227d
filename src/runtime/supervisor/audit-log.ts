import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigError } from '../../config/problem.ts';
import type { Clock } from '../../core/clock.ts';

/** One change to the data plane, as it is recorded before it takes effect. */
export interface AuditRecord {
  readonly action: string;
  readonly actor: string;
  readonly model: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly reason: string;
}

/** Where changes are recorded. Throws when the record cannot be written, and then the change must not happen. */
export interface AuditLog {
  write(record: AuditRecord): void;
  close(): void;
}

/** Appends a JSON line and waits for the disk: changes are rare, and one that is not on record never was allowed. */
export class FileAuditLog implements AuditLog {
  readonly #fd: number;
  readonly #wallMs: () => number;

  /** The file is opened once, for appending only, readable by its owner. */
  constructor(file: string, wallMs: () => number) {
    this.#fd = openSync(file, 'a', 0o600);
    this.#wallMs = wallMs;
  }

  write(record: AuditRecord): void {
    const line = Buffer.from(`${JSON.stringify({ time: new Date(this.#wallMs()).toISOString(), ...record })}\n`);
    const { size } = fstatSync(this.#fd);
    try {
      writeWhole(this.#fd, line);
      fsyncSync(this.#fd);
    } catch (error) {
      this.#cutBack(size);
      throw error;
    }
  }

  /** A full disk may have taken a part of the line: the next record must not be glued to it. */
  #cutBack(size: number): void {
    try {
      ftruncateSync(this.#fd, size);
    } catch {
      // What is no plain file, such as a pipe, cannot be cut; the error that matters is the one of the write.
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Records changes on standard output, where no audit file is configured: at once, and whatever level the log has. */
export class OutputAuditLog implements AuditLog {
  readonly #wallMs: () => number;

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
  }

  write(record: AuditRecord): void {
    const line = { level: 'info', time: this.#wallMs(), msg: 'audit', ...record };
    writeWhole(STDOUT, Buffer.from(`${JSON.stringify(line)}\n`));
  }

  close(): void {}
}

const STDOUT = 1;

/** One call may take a part only; the call after it throws where there is no room. */
function writeWhole(fd: number, line: Buffer): void {
  let written = 0;
  while (written < line.length) written += writeSync(fd, line, written);
}

/** Where the audit log of a config goes. Throws when the file cannot be appended to. */
export function openAudit(
  file: string | null,
  { baseDir, configFile, clock }: { readonly baseDir: string; readonly configFile: string; readonly clock: Clock },
): AuditLog {
  const wallMs = (): number => clock.wallMs();
  if (file === null) return new OutputAuditLog(wallMs);
  try {
    return new FileAuditLog(resolve(baseDir, file), wallMs);
  } catch (error) {
    const message = `found ${file}, which cannot be opened (${(error as NodeJS.ErrnoException).code}); expected a file that can be appended to`;
    throw new ConfigError(configFile, [{ path: 'audit.file', message }]);
  }
}

/** Puts a change on record. Returns why it could not, or an empty text: what is not on record must not happen. */
export function recorded(audit: AuditLog, record: AuditRecord): string {
  try {
    audit.write(record);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}
