import type { Timing } from '../../../core/timing.ts';
import type { FrameOutput } from '../frames/frame-output.ts';
import { SendQueue } from '../send-queue.ts';
import type { PeerSettings } from '../settings.ts';
import type { ServerStream } from './server-stream.ts';

/** Sends answers, and knows which of them its client does not take. */
export class AnswerQueue extends SendQueue<ServerStream> {
  readonly #timing: Timing;

  constructor(output: FrameOutput, peer: PeerSettings, timing: Timing, maxUnsentBytes: number) {
    super(output, peer, maxUnsentBytes);
    this.#timing = timing;
  }

  /** One that could send nothing since `sinceMs`; null when there is none. */
  stalledSince(sinceMs: number): ServerStream | null {
    for (const stream of this.stuck)
      if (!stream.over && stream.unsentBytes > 0 && stream.stalledSinceMs <= sinceMs) return stream;
    return null;
  }

  protected isLast(stream: ServerStream): boolean {
    return stream.endsWithData;
  }

  protected stalled(stream: ServerStream): void {
    stream.stalledSinceMs = this.#timing.clock.nowMs();
  }

  protected written(stream: ServerStream): void {
    stream.onMessageSent();
  }
}
