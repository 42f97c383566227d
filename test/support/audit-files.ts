import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { AdminCaller } from '../../src/core/admin-access.ts';
import type { AuditRecord } from '../../src/runtime/supervisor/audit/audit-chain.ts';
import { AuditFile } from '../../src/runtime/supervisor/audit/audit-file.ts';

/** An audit file in a folder of its own for each test. */
export class AuditFolder {
  dir = '';
  caller: AdminCaller | null = null;
  readonly #open: AuditFile[] = [];

  constructor() {
    beforeEach(() => {
      this.dir = mkdtempSync(join(tmpdir(), 'sluice-audit-'));
      this.caller = null;
    });
    afterEach(() => {
      for (const audit of this.#open.splice(0)) audit.close();
      rmSync(this.dir, { recursive: true });
    });
  }

  get file(): string {
    return join(this.dir, 'audit.jsonl');
  }

  open(file = this.file): AuditFile {
    const audit = new AuditFile(file, { wallMs: () => 0, caller: () => this.caller, onRecord: () => undefined });
    this.#open.push(audit);
    return audit;
  }

  /** A file of `count` records. */
  filled(count: number): void {
    const audit = this.open();
    for (let i = 1; i <= count; i++) audit.write(recordOf(i));
    audit.close();
  }
}

export const recordOf = (i: number): AuditRecord => ({
  action: 'plan.weights',
  actor: 'ann',
  model: 'm',
  before: { revision: i },
  after: { revision: i + 1 },
  reason: i % 2 === 0 ? '' : `why "${i}" – ünusual`,
});
