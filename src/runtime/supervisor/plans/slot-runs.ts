import { WHOLE_BP } from '../../../core/units.ts';

/** Slots as text in runs, `0:9500 1:500`: nine thousand five hundred slots of the first owner, then five hundred of the second. */

/** `nameOf` says how an owner is called. */
export function runsOf(slots: Uint8Array, nameOf: (owner: number) => string = String): string {
  const runs: string[] = [];
  for (let from = 0; from < slots.length; ) {
    const owner = slots[from]!;
    let to = from + 1;
    while (to < slots.length && slots[to] === owner) to++;
    runs.push(`${nameOf(owner)}:${to - from}`);
    from = to;
  }
  return runs.join(' ');
}

/** All 10,000 slots. Throws a RangeError for a text that is none of `runsOf`, or has owners of `owners` or above. */
export function slotsOf(runs: string, owners: number): Uint8Array {
  const slots = new Uint8Array(WHOLE_BP);
  let filled = 0;
  for (const run of runs.split(' ')) {
    const match = /^(\d{1,3}):(\d{1,5})$/.exec(run);
    const [owner, count] = [Number(match?.[1]), Number(match?.[2])];
    if (match === null || owner >= owners || filled + count > WHOLE_BP) throw new RangeError(`found the run "${run}" of slots`);
    slots.fill(owner, filled, filled + count);
    filled += count;
  }
  if (filled !== WHOLE_BP) throw new RangeError(`found ${filled} slots, expected ${WHOLE_BP}`);
  return slots;
}
