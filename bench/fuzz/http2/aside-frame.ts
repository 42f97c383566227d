import type { SeededRandom } from '../../../scripts/models/seeded-random.ts';
import { frame } from '../../../test/support/frame-log.ts';
import { say } from '../../../test/support/scripted-h2-server.ts';

/** A frame that may stand anywhere between two others: `kind` below 5 is one of its own kind, all others open a stream's window. */
export function asideFrame(kind: number, streamId: number, random: SeededRandom, settings: () => Buffer): Buffer {
  switch (kind) {
    case 0:
      return frame(6, 0, 0, Buffer.alloc(8, random.below(256)));
    case 1:
      return settings();
    case 2:
      return say.window(0, 1 + random.below(1_000));
    case 3:
      return frame(2, 0, streamId, Buffer.from([0, 0, 0, 0, random.below(256)]));
    case 4:
      return frame(0x20 + random.below(200), random.below(256), random.below(20), Buffer.alloc(random.below(30), 7));
    default:
      return say.window(streamId, 1 + random.below(300));
  }
}
