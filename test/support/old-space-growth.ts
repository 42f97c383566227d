import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options: { readonly type: 'minor' | 'major' }) => void;

const SCAVENGE_EVERY = 200;

/** Bytes by which V8's old generation has grown after `rounds` of work, scavenged now and then but never wholly collected. */
export function oldSpaceGrowth(rounds: number, work: (round: number) => void): number {
  collect({ type: 'major' });
  const before = oldBytes();
  for (let round = 0; round < rounds; round++) {
    work(round);
    if (round % SCAVENGE_EVERY === 0) collect({ type: 'minor' });
  }
  collect({ type: 'minor' });
  return oldBytes() - before;
}

function oldBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')!.space_used_size;
}
