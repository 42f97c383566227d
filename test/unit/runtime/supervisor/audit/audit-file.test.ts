import { appendFileSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../../../src/core/audit.ts';
import { GENESIS } from '../../../../../src/runtime/supervisor/audit/audit-chain.ts';
import { verifyAudit } from '../../../../../src/runtime/supervisor/audit/audit-verify.ts';
import { AuditFolder, recordOf } from '../../../../support/audit-files.ts';

const folder = new AuditFolder();

const entries = (file = folder.file): AuditEntry[] =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditEntry);

describe('the audit file', () => {
  it('gets one chained line a change, behind those that were there', () => {
    folder.filled(2);
    folder.filled(1);
    const [first, second, third] = entries();
    expect(first).toMatchObject({ seq: 1, time: '1970-01-01T00:00:00.000Z', prev: GENESIS, ...recordOf(1) });
    expect([second!.prev, third!.prev, third!.seq]).toEqual([first!.hash, second!.hash, 3]);
    expect(verifyAudit(folder.file, '')).toMatchObject({ records: 3, head: third!.hash, problem: null });
  });

  it('names role and request of whoever asks, and of nobody else', () => {
    const audit = folder.open();
    folder.caller = { actor: 'ann', role: 'operator', requestId: 'r-1' };
    audit.write(recordOf(1));
    audit.write({ ...recordOf(2), actor: 'judge' });
    expect(entries().map(({ role, requestId }) => [role, requestId])).toEqual([
      ['operator', 'r-1'],
      ['', ''],
    ]);
  });

  it('takes no record on what is no plain file: it cannot be read back, and a full pipe would stop the gateway', () => {
    const log = folder.open('/dev/null');
    expect(() => log.write(recordOf(1))).toThrow(/no plain file/);
    expect(log.head.problem).toMatch(/no plain file/);
  });

  it('can be read by its owner alone', () => {
    folder.filled(1);
    expect(statSync(folder.file).mode & 0o777).toBe(0o600);
  });

  it('throws for a record that is larger than a line may be, and goes on with the next', () => {
    const audit = folder.open();
    expect(() => audit.write({ ...recordOf(1), after: 'x'.repeat(300_000) })).toThrow(/at most 262144/);
    audit.write(recordOf(1));
    expect(verifyAudit(folder.file, '')).toMatchObject({ records: 1, problem: null });
  });
});

describe('an audit file whose last line is torn', () => {
  it('is cut back to its last whole line, and says so in a record', () => {
    folder.filled(2);
    appendFileSync(folder.file, '{"seq":3,"time":"19');
    const audit = folder.open();
    expect(audit.head).toMatchObject({ seq: 3, problem: '' });
    expect(entries()[2]).toMatchObject({ action: 'audit.repair', before: { bytes: 19, text: '{"seq":3,"time":"19' } });
    audit.write(recordOf(3));
    expect(verifyAudit(folder.file, '')).toMatchObject({ records: 4, problem: null });
  });

  it('is repaired also where only the end of the line is missing', () => {
    folder.filled(2);
    truncateSync(folder.file, statSync(folder.file).size - 1);
    folder.open().write(recordOf(2));
    expect(entries().map(({ action }) => action)).toEqual(['plan.weights', 'audit.repair', 'plan.weights']);
    expect(verifyAudit(folder.file, '').problem).toBeNull();
  });
});

describe('an audit file whose chain is broken', () => {
  const breakIt = (): void => {
    const lines = readFileSync(folder.file, 'utf8').split('\n');
    lines.splice(1, 1);
    writeFileSync(folder.file, lines.join('\n'));
  };

  it('takes no record until it is moved away', () => {
    folder.filled(4);
    breakIt();
    const before = readFileSync(folder.file, 'utf8');
    const audit = folder.open();
    expect(audit.head.problem).toMatch(/taken out.*Changes are refused until that file is moved away/);
    for (let i = 0; i < 3; i++) expect(() => audit.write(recordOf(1))).toThrow(/taken out/);
    expect(readFileSync(folder.file, 'utf8')).toBe(before);
    renameSync(folder.file, `${folder.file}.broken`);
    audit.write(recordOf(1));
    expect(audit.head.problem).toBe('');
    expect(entries().map(({ action }) => action)).toEqual(['audit.begin', 'plan.weights']);
  });

  it('is noticed while the gateway runs, when lines were cut off or a line was written by another hand', () => {
    const audit = folder.open();
    for (let i = 1; i <= 3; i++) audit.write(recordOf(i));
    const { size } = statSync(folder.file);
    const text = readFileSync(folder.file);
    truncateSync(folder.file, text.lastIndexOf('\n', size - 2) + 1);
    expect(() => audit.write(recordOf(4))).toThrow(/number 3 are missing/);
    writeFileSync(folder.file, text);
    audit.write(recordOf(4));
    appendFileSync(folder.file, '{"seq":5}\n');
    expect(() => audit.write(recordOf(5))).toThrow(/is no record/);
  });
});

describe('an audit file that is moved away', () => {
  it.each(['moved', 'removed'])('is begun anew, with the head of the %s one in its first line', (how) => {
    const audit = folder.open();
    audit.write(recordOf(1));
    const { hash } = audit.head;
    if (how === 'moved') renameSync(folder.file, `${folder.file}.1`);
    else rmSync(folder.file);
    audit.write(recordOf(2));
    expect(entries()[0]).toMatchObject({ seq: 1, action: 'audit.begin', before: { seq: 1, hash } });
    expect(verifyAudit(folder.file, '')).toMatchObject({ records: 2, problem: null });
  });
});

describe('pages of an audit file', () => {
  it('give every record once, newest first, from the end', () => {
    folder.filled(23);
    const audit = folder.open();
    const seen: number[] = [];
    let before: number | null = null;
    do {
      const page = audit.page(5, before);
      seen.push(...page.records.map(({ seq }) => seq));
      expect(page.unreadable).toBe(0);
      before = page.next;
    } while (before !== null);
    expect(seen).toEqual(Array.from({ length: 23 }, (_, i) => 23 - i));
  });

  it('pass over what is no record, and count it', () => {
    folder.filled(2);
    appendFileSync(folder.file, 'junk\n');
    folder.open();
    expect(folder.open().page(10, null)).toMatchObject({ unreadable: 1, next: null });
    expect(folder.open('/dev/null').page(10, null)).toEqual({ records: [], unreadable: 0, next: null });
  });

  it('begin anywhere without failing', () => {
    folder.filled(3);
    const audit = folder.open();
    const { size } = statSync(folder.file);
    for (let before = 0; before <= size + 10; before += 7) {
      const { records } = audit.page(10, before);
      expect(records.every(({ seq }) => seq >= 1 && seq <= 3)).toBe(true);
    }
  });
});
