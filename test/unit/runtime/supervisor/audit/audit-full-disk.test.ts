import * as fs from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AuditEntry } from '../../../../../src/core/audit.ts';
import { verifyAudit } from '../../../../../src/runtime/supervisor/audit/audit-verify.ts';
import { AuditFolder, recordOf } from '../../../../support/audit-files.ts';

const disk = vi.hoisted(() => ({ full: false }));

/** A full disk takes the first bytes of a line. */
vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  const writeSync = (fd: number, bytes: Buffer, from = 0): number => {
    if (!disk.full) return real.writeSync(fd, bytes, from);
    real.writeSync(fd, bytes, from, 5);
    throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  };
  return { ...real, writeSync };
});

const folder = new AuditFolder();
afterEach(() => {
  disk.full = false;
});

const entries = (): AuditEntry[] =>
  fs
    .readFileSync(folder.file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditEntry);

describe('an audit file on a full disk', () => {
  it('throws, so that the change is refused, and goes on unbroken when there is room', () => {
    const audit = folder.open();
    audit.write(recordOf(1));
    disk.full = true;
    for (let i = 0; i < 2; i++) expect(() => audit.write(recordOf(2))).toThrow(/ENOSPC/);
    expect(audit.head).toMatchObject({ seq: 1, problem: expect.stringContaining('ENOSPC') });
    disk.full = false;
    audit.write(recordOf(2));
    expect(verifyAudit(folder.file, '')).toMatchObject({ records: 2, problem: null });
  });

  it('names the former file, which was moved away, when there is room at last', () => {
    const audit = folder.open();
    audit.write(recordOf(1));
    const { hash } = audit.head;
    disk.full = true;
    fs.renameSync(folder.file, `${folder.file}.1`);
    for (let i = 0; i < 2; i++) expect(() => audit.write(recordOf(2))).toThrow(/ENOSPC/);
    expect(audit.head).toMatchObject({ seq: 1, hash });
    disk.full = false;
    audit.write(recordOf(2));
    expect(entries().map(({ action }) => action)).toEqual(['audit.begin', 'plan.weights']);
    expect(entries()[0]).toMatchObject({ seq: 1, before: { seq: 1, hash } });
    expect(verifyAudit(folder.file, '').problem).toBeNull();
  });

  it('keeps what was torn until it stands in a record', () => {
    folder.filled(1);
    fs.appendFileSync(folder.file, '{"seq":2,"time":"19');
    disk.full = true;
    const audit = folder.open();
    expect(() => audit.write(recordOf(2))).toThrow(/ENOSPC/);
    disk.full = false;
    audit.write(recordOf(2));
    expect(entries().map(({ action }) => action)).toEqual(['plan.weights', 'audit.repair', 'plan.weights']);
    expect(entries()[1]!.before).toEqual({ bytes: 19, text: '{"seq":2,"time":"19' });
    expect(verifyAudit(folder.file, '').problem).toBeNull();
  });
});
