import { describe, expect, it } from 'vitest';
import { SpareTurns } from '../../../../src/router/comparison/spare-turns.ts';

describe('SpareTurns', () => {
  it('does as much in one turn as its time allows, one piece at least, and the rest in later ones', () => {
    let nowUs = 0;
    const turns: (() => void)[] = [];
    const done: string[] = [];
    const spare = new SpareTurns({ nowUs: () => nowUs, later: (turn) => void turns.push(turn) });
    const work = (name: string, us: number) => ({
      run: () => {
        nowUs += us;
        done.push(name);
      },
    });
    for (const [name, us] of [
      ['a', 200],
      ['b', 400],
      ['c', 9_000],
      ['d', 1],
    ] as const)
      spare.add(work(name, us));
    expect([done, turns.length, spare.length]).toEqual([[], 1, 4]);
    turns.shift()!();
    expect(done).toEqual(['a', 'b']);
    turns.shift()!();
    expect(done).toEqual(['a', 'b', 'c']);
    turns.shift()!();
    expect([done.length, turns.length, spare.length]).toEqual([4, 0, 0]);
    spare.add(work('e', 1));
    expect(turns.length).toBe(1);
  });
});
