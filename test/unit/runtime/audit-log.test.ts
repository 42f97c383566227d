import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileAuditLog } from '../../../src/runtime/supervisor/audit-log.ts';

const RECORD = { action: 'plan.weights', actor: 'a', model: 'm', before: 1, after: 2, reason: 'why' };
let dir = '';

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-audit-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

describe('the audit file', () => {
  it('gets one JSON line a change, behind those that were there', () => {
    const file = join(dir, 'audit.jsonl');
    for (const wall of [0, 1_000]) {
      const log = new FileAuditLog(file, () => wall);
      log.write(RECORD);
      log.close();
    }
    const lines = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toEqual([
      { time: '1970-01-01T00:00:00.000Z', ...RECORD },
      { time: '1970-01-01T00:00:01.000Z', ...RECORD },
    ]);
  });

  it('throws when nothing can be written, so that the change is refused', () => {
    const log = new FileAuditLog('/dev/full', () => 0);
    expect(() => log.write(RECORD)).toThrow(/ENOSPC/);
    log.close();
  });

  it('can be read by its owner alone', () => {
    const file = join(dir, 'audit.jsonl');
    new FileAuditLog(file, () => 0).close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});
