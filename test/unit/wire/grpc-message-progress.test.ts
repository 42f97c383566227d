import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageProgress } from '../../../src/wire/grpc/message-progress.ts';

const HEAD = 5;

function frame(size: number): Buffer {
  const bytes = Buffer.alloc(HEAD + size, 0xff);
  bytes[0] = 0;
  bytes.writeUInt32BE(size, 1);
  return bytes;
}

describe('MessageProgress', () => {
  it('knows what is here and what is on its way, wherever the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 300 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }),
        (sizes, cuts) => {
          const bytes = Buffer.concat(sizes.map(frame));
          const ends = sizes.map((_, i) => sizes.slice(0, i + 1).reduce((sum, size) => sum + HEAD + size, 0));
          const progress = new MessageProgress();
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const next = Math.min(bytes.length, at + cuts[i % cuts.length]!);
            progress.feed(bytes.subarray(at, next));
            at = next;
            const whole = ends.filter((end) => end <= at).length;
            expect([progress.whole, progress.partialBytes]).toEqual([whole, at - (whole === 0 ? 0 : ends[whole - 1]!)]);
          }
        },
      ),
      { seed: 7, numRuns: 500 },
    );
  });

  it('holds nothing of a message that states four gigabytes', () => {
    const progress = new MessageProgress();
    progress.feed(Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]));
    expect([progress.whole, progress.partialBytes]).toEqual([0, 8]);
  });
});
