import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readHistory } from '../../../../../src/runtime/supervisor/plans/history-file.ts';
import { isWhole, lineOf, recordOf, revisionIn } from '../../../../../src/runtime/supervisor/plans/plan-record.ts';
import { runsOf, slotsOf } from '../../../../../src/runtime/supervisor/plans/slot-runs.ts';
import { anyRecord, recordAt, scattered } from './records.ts';

describe('slots in runs', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ owner: fc.nat(200), count: fc.integer({ min: 1, max: 4_000 }) }), { minLength: 1 }),
        (runs) => {
          const slots = new Uint8Array(10_000);
          let at = 0;
          for (const { owner, count } of runs) {
            slots.fill(owner, at, at + count);
            at += count;
          }
          expect(slotsOf(runsOf(slots), 256)).toEqual(slots);
        },
      ),
    );
  });

  it.each(['', '0:10000 ', '0:9999', '0:10001', '2:10000', '0:5000 0:5001', '-1:10000', 'a:10000', '0:1e4'])(
    'are refused as %j',
    (runs) => {
      expect(() => slotsOf(runs, 2)).toThrow(RangeError);
    },
  );
});

describe('a line of the history', () => {
  it('comes back as the record it was', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const line = lineOf(record);
        expect(line.indexOf('\n')).toBe(line.length - 1);
        const text = line.subarray(0, -1);
        expect([isWhole(text), revisionIn(text)]).toEqual([true, record.revision]);
        expect(recordOf(text, 'm')).toEqual(record);
        expect(() => JSON.parse(text.toString())).not.toThrow();
      }),
      { numRuns: 100 },
    );
  });

  it('is refused where it is of another model, of another version, or contradicts itself', () => {
    const text = (record = recordAt(1)) => lineOf(record).subarray(0, -1);
    expect(() => recordOf(text(), 'n')).toThrow('found a plan of the model "m", expected "n"');
    const later = Buffer.from(text().toString().replace('"format":1', '"format":2'));
    expect(() => recordOf(later, 'm')).toThrow('found format 2, expected 1');
    expect(() => recordOf(text(recordAt(1, { weights: [10_000, 0] })), 'm')).toThrow('slots that are not as the weights say');
    expect(() => recordOf(text(recordAt(1, { fallbacks: ['v9'] })), 'm')).toThrow('a fallback is "v9"');
  });
});

describe('a history file', () => {
  const records = [scattered(1, 500, 3), scattered(2, 40, 9), recordAt(4, { reason: 'third' })];
  const whole = Buffer.concat(records.map(lineOf));
  const written = new Set(records.map((record) => lineOf(record).toString().trimEnd()));

  it('reads as what was written', () => {
    const { lines, damage, tornBytes, lastRevision } = readHistory(whole, 'm');
    expect(lines.map((line) => recordOf(line, 'm'))).toEqual(records);
    expect([damage, tornBytes, lastRevision]).toEqual(['', 0, 4]);
    expect(readHistory(Buffer.alloc(0), 'm')).toMatchObject({ lines: [], damage: '', tornBytes: 0 });
  });

  it('cut anywhere gives the plans that were whole by then, and never another', () => {
    for (let size = 0; size < whole.length; size++) {
      const { lines, damage, wholeBytes, tornBytes } = readHistory(whole.subarray(0, size), 'm');
      expect(damage).toBe('');
      expect(wholeBytes + tornBytes).toBe(size);
      expect(lines.every((line) => written.has(line.toString()))).toBe(true);
      expect(lines).toHaveLength([...whole.subarray(0, size)].filter((byte) => byte === 0x0a).length);
    }
  });

  it('with any bit of any byte flipped is damaged or ends in a torn line, and gives no plan that was not written', () => {
    for (let at = 0; at < whole.length; at++) {
      for (const mask of [1, 0x80, 0x0a ^ whole[at]!, 0xff]) {
        if (mask === 0) continue;
        const flipped = Buffer.from(whole);
        flipped[at]! ^= mask;
        const { lines, damage, tornBytes } = readHistory(flipped, 'm');
        expect(damage !== '' || tornBytes > 0, `byte ${at} by ${mask}`).toBe(true);
        for (const line of lines) expect(written.has(line.toString())).toBe(true);
      }
    }
  }, 60_000);

  it('is damaged where lines were taken away, moved or doubled', () => {
    const [first, second, third] = records.map(lineOf) as [Buffer, Buffer, Buffer];
    expect(readHistory(Buffer.concat([second, first, third]), 'm').damage).toBe('line 2 is revision 1 behind revision 2');
    expect(readHistory(Buffer.concat([first, first]), 'm').damage).toBe('line 2 is revision 1 behind revision 1');
    expect(readHistory(Buffer.concat([first, Buffer.from('\n'), second]), 'm')).toMatchObject({
      damage: 'line 2 is not as it was written',
      lastRevision: 2,
    });
  });
});
