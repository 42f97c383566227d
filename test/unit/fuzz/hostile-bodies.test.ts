import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type HostileResult, WORST_INLINE_MS, WORST_MS } from '../../../bench/fuzz/hostile-bodies.ts';

/** In a process of its own: the test runner rewrites imports, which makes tight loops several times slower than they are. */
const SCRIPT = `import { measureHostileBodies, measureInlineBodies } from './bench/fuzz/hostile-bodies.ts';
process.stdout.write(JSON.stringify([measureHostileBodies(), measureInlineBodies()]));`;
const ROOT = join(import.meta.dirname, '../../..');
const HEADROOM = 5;

let results: HostileResult[];
let inline: HostileResult[];

beforeAll(() => {
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', SCRIPT], { cwd: ROOT, maxBuffer: 16_777_216 });
  [results, inline] = JSON.parse(output.toString()) as [HostileResult[], HostileResult[]];
}, 120_000);

describe('bodies as large as the defaults allow, of deep nesting, a million keys, long numbers and many tensors', () => {
  it('are read or refused as they should be', () => {
    expect(results.length).toBeGreaterThan(50);
    const wrong = [...results, ...inline].filter(({ end, expected }) => end !== expected);
    expect(wrong).toEqual([]);
  });

  it(`take a thread less than ${WORST_MS * HEADROOM} ms each`, () => {
    const slow = results.filter(({ ms }) => ms > WORST_MS * HEADROOM);
    expect(slow).toEqual([]);
  });

  it(`hold the event loop for less than ${WORST_INLINE_MS * HEADROOM} ms each where they are small enough for it`, () => {
    expect(inline.filter(({ ms }) => ms > WORST_INLINE_MS * HEADROOM)).toEqual([]);
  });

  it('get messages that do not repeat them', () => {
    expect(Math.max(...results.map(({ detail }) => detail.length))).toBeLessThan(500);
  });
});
