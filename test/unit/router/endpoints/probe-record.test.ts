import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProbeRecord } from '../../../../src/router/endpoints/probe-record.ts';

describe('a record of probes', () => {
  it('changes its mind after so many in a row, as a look back at all of them says', () => {
    const probes = fc.array(fc.boolean(), { maxLength: 60 });
    fc.assert(
      fc.property(
        probes,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        (list, unhealthyAfter, healthyAfter) => {
          const record = new ProbeRecord(unhealthyAfter, healthyAfter);
          let healthy = true;
          list.forEach((isGood, i) => {
            const past = list.slice(0, i + 1);
            const inRow = past.length - 1 - past.lastIndexOf(!isGood);
            const expected = isGood ? healthy || inRow >= healthyAfter : healthy && inRow < unhealthyAfter;
            const almost = record.almostHealthy;
            expect(record.note(isGood)).toBe(expected !== healthy);
            if (isGood) expect(almost).toBe(!healthy && expected);
            healthy = expected;
            expect([record.healthy, record.lastGood]).toEqual([expected, isGood]);
          });
        },
      ),
    );
  });
});
