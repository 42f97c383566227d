import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';

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
    let written = 0;
    // A full disk may take a part of the line; the call after it throws.
    while (written < line.length) written += writeSync(this.#fd, line, written);
    fsyncSync(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Records changes in the process log, where no audit file is configured. */
export class LogAuditLog implements AuditLog {
  readonly #info: (message: string, fields: Readonly<Record<string, unknown>>) => void;

  constructor(info: (message: string, fields: Readonly<Record<string, unknown>>) => void) {
    this.#info = info;
  }

  write(record: AuditRecord): void {
    this.#info('audit', { ...record });
  }

  close(): void {}
}
