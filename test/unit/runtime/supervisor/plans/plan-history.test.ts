import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PlanHistory } from '../../../../../src/runtime/supervisor/plans/plan-history.ts';
import { lineOf } from '../../../../../src/runtime/supervisor/plans/plan-record.ts';
import { recordAt } from './records.ts';

let root: string;
let dir: string;
let file: string;
let said: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-plans-'));
  dir = join(root, 'plans');
  file = join(dir, 'm.jsonl');
  said = [];
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const open = (keep = 1_000): PlanHistory => {
  const say = (level: string) => (message: string, fields?: object) =>
    void said.push(`${level} ${message} ${JSON.stringify(fields)}`);
  return new PlanHistory({ dir, keep: () => keep, log: { warn: say('warn'), error: say('error') }, wallMs: () => 0 });
};
const revisions = async (of: PlanHistory, limit = 1_000) => (await of.list('m', limit)).records.map(({ revision }) => revision);

describe('PlanHistory', () => {
  it('keeps plans for the next gateway, for its owner alone', async () => {
    const history = open();
    expect(history.last('m')).toMatchObject({ record: null, revision: 0 });
    for (const revision of [1, 2, 3]) expect(history.append(recordAt(revision))).toBe('');
    expect([statSync(dir).mode & 0o777, statSync(file).mode & 0o777]).toEqual([0o700, 0o600]);
    const next = open();
    expect(next.last('m').record).toEqual(recordAt(3));
    expect([await revisions(next), await revisions(next, 2)]).toEqual([
      [3, 2, 1],
      [3, 2],
    ]);
    expect(said).toEqual([]);
  });

  it('cuts off the line that a crash has left half, says so, and goes on behind what was whole', async () => {
    open().append(recordAt(1));
    appendFileSync(file, lineOf(recordAt(2)).subarray(0, 100));
    const history = open();
    expect(history.last('m').record).toEqual(recordAt(1));
    expect(said).toEqual([expect.stringMatching(/^warn plan history ended in the middle of a line.*"tornBytes":100/)]);
    expect(history.append(recordAt(2))).toBe('');
    expect(await revisions(open())).toEqual([2, 1]);
  });

  it('moves a damaged file aside, says so loudly, and takes no plan from it', async () => {
    const bytes = Buffer.concat([1, 2, 3].map((revision) => lineOf(recordAt(revision))));
    bytes[bytes.indexOf('"ann"') + 1]! ^= 1;
    mkdirSync(dir);
    writeFileSync(file, bytes);
    const history = open();
    // Whoever has seen revision 3 must not take the next one for it.
    expect(history.last('m')).toMatchObject({ record: null, revision: 3 });
    expect(said).toEqual([
      expect.stringMatching(/^error PLAN HISTORY IS DAMAGED and was moved aside.*line 1 is not as it was written/),
    ]);
    expect(existsSync(file)).toBe(false);
    const [aside] = readdirSync(join(dir, 'damaged'));
    expect(aside).toBe('m-1970-01-01T000000.000Z.jsonl');
    expect(readFileSync(join(dir, 'damaged', aside!))).toEqual(bytes);
    expect(history.append(recordAt(4))).toBe('');
    expect(await revisions(open())).toEqual([4]);
  });

  it('refuses to write to a file that it could not read, and begins without it', () => {
    mkdirSync(file, { recursive: true });
    const history = open();
    expect(history.last('m')).toMatchObject({ record: null, revision: 0 });
    expect(said).toEqual([expect.stringMatching(/^error plan history cannot be read.*EISDIR/)]);
    expect(history.append(recordAt(1))).toContain('EISDIR');
  });

  it('says why a plan could not be written, and tries again the next time', () => {
    writeFileSync(dir, 'in the way');
    const history = open();
    expect(history.append(recordAt(1))).toMatch(/ENOTDIR|EEXIST/);
    rmSync(dir);
    expect(history.append(recordAt(1))).toBe('');
    expect(open().last('m').record).toEqual(recordAt(1));
  });

  it('looks again at a file that it could not read, says what is wrong once, and writes behind what the file has', async () => {
    open().append(recordAt(7));
    const aside = join(root, 'aside');
    renameSync(file, aside);
    mkdirSync(file);
    const history = open();
    for (const _ of [1, 2]) expect(history.append(recordAt(1))).toContain('EISDIR');
    expect(said).toHaveLength(1);
    history.hold(recordAt(3));
    rmSync(file, { recursive: true });
    renameSync(aside, file);
    expect(history.append(recordAt(4))).toBe('revision 4 is not behind the last one, 7');
    expect(history.append(recordAt(8))).toBe('');
    expect(await revisions(open())).toEqual([8, 7]);
  });

  it('counts what is held as the last, shows it, and writes it before the next', async () => {
    const history = open();
    history.append(recordAt(1));
    for (const revision of [2, 3]) history.hold(recordAt(revision));
    expect(history.last('m')).toMatchObject({ record: recordAt(3), revision: 3 });
    expect([await revisions(history), await revisions(open())]).toEqual([[3, 2, 1], [1]]);
    expect(history.append(recordAt(4))).toBe('');
    expect([await revisions(history), await revisions(open())]).toEqual([
      [4, 3, 2, 1],
      [4, 3, 2, 1],
    ]);
    history.hold(recordAt(5));
    expect([history.flush(), history.flush(), await revisions(open(), 1)]).toEqual(['', '', [5]]);
  });

  it('reads no older plan than it is asked for', async () => {
    const history = open();
    for (let revision = 1; revision <= 50; revision++) history.append(recordAt(revision));
    const past = await history.past('m');
    expect([past.oldest, past.newest]).toEqual([1, 50]);
    const parse = vi.spyOn(JSON, 'parse');
    for (const record of past.from(20)) if (record.revision < 20) break;
    expect(parse).toHaveBeenCalledTimes(2);
    parse.mockRestore();
  });

  it('writes no revision that is not behind the last one', () => {
    const history = open();
    history.append(recordAt(5));
    expect(history.append(recordAt(5))).toBe('revision 5 is not behind the last one, 5');
  });

  it('keeps the newest and cuts the rest, now and then', async () => {
    const history = open(8);
    let most = 0;
    for (let revision = 1; revision <= 100; revision++) {
      expect(history.append(recordAt(revision))).toBe('');
      most = Math.max(most, readFileSync(file, 'utf8').split('\n').length - 1);
      expect(await revisions(history)).toHaveLength(Math.min(revision, 8));
    }
    expect(most).toBe(9);
    expect(await revisions(open(8))).toEqual([100, 99, 98, 97, 96, 95, 94, 93]);
    expect(readdirSync(dir)).toEqual(['m.jsonl']);
  });

  it('shows what is whole, and what is wrong, of a file that was damaged while it runs', async () => {
    const history = open();
    for (const revision of [1, 2]) history.append(recordAt(revision));
    const bytes = readFileSync(file);
    bytes[50]! ^= 1;
    writeFileSync(file, bytes);
    const { records, problem } = await history.list('m', 10);
    expect([records.map(({ revision }) => revision), problem]).toEqual([
      [2],
      expect.stringContaining('line 1 is not as it was written'),
    ]);
  });
});
