import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { systemAlarm } from '../../../src/limits/alarm.ts';

describe('systemAlarm', () => {
  it('does not ring for an answer that came while the event loop was busy', async () => {
    const rung: string[] = [];
    const { port1, port2 } = new MessageChannel();
    const off = systemAlarm(5, () => rung.push('alarm'));
    const heard = new Promise<void>((done) => {
      port2.on('message', () => {
        off();
        done();
      });
    });
    port1.postMessage('answer');
    const untilMs = performance.now() + 30;
    while (performance.now() < untilMs);
    await heard;
    await new Promise((done) => setTimeout(done, 20));
    expect(rung).toEqual([]);
    port1.close();
  });

  it('rings when nothing comes, and not when it was called off', async () => {
    const rung = await new Promise<string>((done) => {
      systemAlarm(1, () => done('late'));
      systemAlarm(1, () => done('never'))();
      setTimeout(() => undefined, 50);
    });
    expect(rung).toBe('late');
  });
});
