import { describe, expect, it } from 'vitest';
import { FrameOutput } from '../../../../src/wire/http2/frames/frame-output.ts';
import { type SendingStream, SendQueue } from '../../../../src/wire/http2/send-queue.ts';
import { PeerSettings } from '../../../../src/wire/http2/settings.ts';

interface Stream extends SendingStream {
  over: boolean;
}

class CountedQueue extends SendQueue<Stream> {
  onWritten: (stream: Stream) => void = () => undefined;

  get stuckCount(): number {
    return this.stuck.length;
  }

  protected isLast(): boolean {
    return true;
  }

  protected stalled(): void {}

  protected written(stream: Stream): void {
    this.onWritten(stream);
  }
}

const outlet = { write: () => true, cork: () => undefined, uncork: () => undefined, writableLength: 0, destroyed: false };
const newQueue = (): CountedQueue =>
  new CountedQueue(new FrameOutput(outlet, { onFlush: () => undefined }), new PeerSettings(), 1_048_576);
const stream = (streamId: number, sendWindow: number): Stream => ({
  streamId,
  pieces: [Buffer.alloc(1_000)],
  messageBytes: 1_000,
  unsentBytes: 1_005,
  piece: 0,
  pieceAt: 0,
  over: false,
  sendWindow,
});

describe('SendQueue', () => {
  it('forgets streams that were given up for a peer that gives no room', () => {
    const queue = newQueue();
    for (let id = 1; id < 20_000; id += 2) {
      const given = stream(id, 0);
      queue.send(given);
      given.over = true;
    }
    expect(queue.stuckCount).toBeLessThanOrEqual(64);
  });

  it('forgets none of those that wait', () => {
    const queue = newQueue();
    const waiting = Array.from({ length: 500 }, (_, i) => stream(i * 2 + 1, 0));
    for (const each of waiting) {
      queue.send(each);
      const given = stream(each.streamId + 10_000, 0);
      queue.send(given);
      given.over = true;
    }
    for (const each of waiting) each.sendWindow = 65_535;
    queue.widen(1_000_000);
    queue.pump();
    expect(waiting.every(({ unsentBytes }) => unsentBytes === 0)).toBe(true);
    expect(queue.stuckCount).toBe(0);
  });

  it('forgets none of those that wait when streams go on with their next message from within a round', () => {
    const queue = newQueue();
    const given = Array.from({ length: 40 }, (_, i) => stream(i * 2 + 1_001, 0));
    const waiting = Array.from({ length: 60 }, (_, i) => stream(i * 2 + 1, 0));
    for (const each of [...given, ...waiting]) queue.send(each);
    for (const each of given) each.over = true;
    for (const each of waiting) each.sendWindow = 65_535;
    let more = waiting.length;
    queue.onWritten = (written) => {
      if (more-- <= 0) return;
      const next = stream(written.streamId, 0);
      queue.send(next);
      next.over = true;
    };
    queue.widen(1_000_000);
    queue.pump();
    expect(waiting.every(({ unsentBytes }) => unsentBytes === 0)).toBe(true);
  });
});
