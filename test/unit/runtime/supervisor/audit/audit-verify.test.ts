import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { verifyAudit } from '../../../../../src/runtime/supervisor/audit/audit-verify.ts';
import { AuditFolder, recordOf } from '../../../../support/audit-files.ts';

const folder = new AuditFolder();

function linesOf(count: number): string[] {
  folder.filled(count);
  return readFileSync(folder.file, 'utf8').trimEnd().split('\n');
}

const problemOf = (lines: readonly string[], head = ''): unknown => {
  writeFileSync(folder.file, lines.map((line) => `${line}\n`).join(''));
  return verifyAudit(folder.file, head).problem;
};

describe('the check of an audit file', () => {
  it('finds each single flipped bit', () => {
    folder.filled(2);
    const bytes = readFileSync(folder.file);
    expect(verifyAudit(folder.file, '').problem).toBeNull();
    const unseen: string[] = [];
    for (let i = 0; i < bytes.length * 8; i++) {
      bytes[i >> 3]! ^= 1 << (i & 7);
      writeFileSync(folder.file, bytes);
      if (verifyAudit(folder.file, '').problem === null) unseen.push(`byte ${i >> 3}, bit ${i & 7}`);
      bytes[i >> 3]! ^= 1 << (i & 7);
    }
    expect(unseen).toEqual([]);
  });

  it('finds each line that was removed but the last, each two that were swapped, and each that was put in or doubled', () => {
    const lines = linesOf(6);
    for (let i = 0; i < 5; i++) expect(problemOf(lines.toSpliced(i, 1)), `without ${i}`).toMatchObject({ line: i + 1 });
    for (let i = 0; i < 6; i++) {
      for (let j = i + 1; j < 6; j++) {
        const swapped = lines.with(i, lines[j]!).with(j, lines[i]!);
        expect(problemOf(swapped), `${i} and ${j}`).toMatchObject({ line: i + 1 });
      }
      for (let at = 0; at <= 6; at++) expect(problemOf(lines.toSpliced(at, 0, lines[i]!)), `${i} at ${at}`).not.toBeNull();
      expect(problemOf(lines.toSpliced(i, 0, ''))).not.toBeNull();
    }
  });

  it('finds lines that were cut off the end by a head that was seen earlier', () => {
    const lines = linesOf(4);
    const heads = lines.map((line) => (JSON.parse(line) as { hash: string }).hash);
    expect(problemOf(lines.slice(0, 2))).toBeNull();
    expect(problemOf(lines.slice(0, 2), heads[3])).toMatchObject({ message: expect.stringContaining('cut off') as string });
    expect(problemOf(lines, heads[1])).toBeNull();
    expect(verifyAudit(folder.file, heads[1]!)).toMatchObject({ records: 4, headSeq: 2 });
  });

  it('finds a line that was written anew by whoever does not write all behind it anew', () => {
    const lines = linesOf(3);
    const forged = linesOf(1);
    expect(problemOf([...lines.slice(0, 2), ...forged.slice(-1)])).not.toBeNull();
  });

  it('reads files of many pieces, and one with nothing in it', () => {
    const audit = folder.open();
    for (let i = 0; i < 40; i++) audit.write({ ...recordOf(i), after: 'x'.repeat(60_000) });
    expect(verifyAudit(folder.file, '')).toMatchObject({ records: 40, head: audit.head.hash, problem: null });
    writeFileSync(folder.file, '');
    expect(verifyAudit(folder.file, '0'.repeat(64))).toMatchObject({ records: 0, problem: null, headSeq: 0 });
    writeFileSync(folder.file, 'y'.repeat(3_000_000));
    expect(verifyAudit(folder.file, '').problem).toMatchObject({ line: 1 });
  });
});
