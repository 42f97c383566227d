import type { FrameOutput } from '../frames/frame-output.ts';
import { SendQueue } from '../send-queue.ts';
import type { PeerSettings } from '../settings.ts';
import type { H2Call } from './h2-call.ts';

/** What a socket may owe before questions wait: enough to keep it busy, little enough that cancelled ones cost nothing. */
const PENDING_BYTES = 1_048_576;

/** Sends questions, each of them the only one of its stream; deadlines end those that wait too long. */
export class QuestionQueue extends SendQueue<H2Call> {
  constructor(output: FrameOutput, peer: PeerSettings) {
    super(output, peer, PENDING_BYTES);
  }

  protected isLast(): boolean {
    return true;
  }

  protected stalled(): void {}

  protected written(): void {}
}
