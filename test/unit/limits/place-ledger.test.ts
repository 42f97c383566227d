import { describe, expect, it } from 'vitest';
import type { PlaceGrant } from '../../../src/core/limits.ts';
import type { CapId } from '../../../src/core/units.ts';
import { PlaceLedger } from '../../../src/limits/place-ledger.ts';

const CAP = 0 as CapId;

describe('PlaceLedger', () => {
  it('answers every ask once, those too that their worker has given up for another', () => {
    const ledger = new PlaceLedger(() => 2);
    ledger.configure(CAP, 1);
    // It was asked for its place, and hangs.
    ledger.onRecall(1, () => undefined);
    ledger.ask(1, { cap: CAP, needed: 1 }, () => undefined);
    const answers: (readonly [number, PlaceGrant])[] = [];
    for (const ask of [1, 2, 3]) ledger.ask(2, { cap: CAP, needed: 1 }, (grant) => answers.push([ask, grant]));
    expect(answers).toEqual([
      [1, { granted: 0, retryInMs: 20 }],
      [2, { granted: 0, retryInMs: 20 }],
    ]);
    ledger.give(1, CAP, 1);
    expect(answers.slice(2)).toEqual([[3, { granted: 1, retryInMs: 0 }]]);
  });
});
