import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SYSTEM_TIMING } from '../../../../src/core/timing.ts';
import { ReadyWaiters } from '../../../../src/wire/http2/client/ready-waiters.ts';
import { ReceiveWindow, widened } from '../../../../src/wire/http2/flow-window.ts';
import { FrameRate } from '../../../../src/wire/http2/frame-rate.ts';
import { HeaderGatherer } from '../../../../src/wire/http2/frames/header-gatherer.ts';
import { H2Error } from '../../../../src/wire/http2/h2-error.ts';
import { PeerSettings, Setting, settingsFrame } from '../../../../src/wire/http2/settings.ts';

function applied(entries: readonly number[], fromServer = true): { error: number; settings: PeerSettings } {
  const settings = new PeerSettings();
  const bytes = settingsFrame(entries);
  return { error: settings.apply(bytes, 9, bytes.length, fromServer), settings };
}

describe('PeerSettings', () => {
  it('takes what is known and passes over the rest', () => {
    const { error, settings } = applied([
      Setting.MaxConcurrentStreams,
      7,
      0xf000,
      1,
      Setting.InitialWindowSize,
      9,
      Setting.MaxFrameSize,
      20_000,
    ]);
    expect(error).toBe(H2Error.None);
    expect([settings.maxConcurrentStreams, settings.initialWindowBytes, settings.maxFrameBytes]).toEqual([7, 9, 20_000]);
    expect(applied([Setting.HeaderTableSize, 0, Setting.MaxHeaderListSize, 5]).settings).toMatchObject({
      headerTableBytes: 0,
      maxHeaderListBytes: 5,
    });
  });

  it('has the last value where one comes twice', () => {
    expect(applied([Setting.InitialWindowSize, 1, Setting.InitialWindowSize, 2]).settings.initialWindowBytes).toBe(2);
  });

  it.each([
    ['a window beyond 31 bits', H2Error.FlowControl, [Setting.InitialWindowSize, 0x8000_0000], true],
    ['a small frame size', H2Error.Protocol, [Setting.MaxFrameSize, 16_383], true],
    ['a large frame size', H2Error.Protocol, [Setting.MaxFrameSize, 16_777_216], true],
    ['a push that is neither on nor off', H2Error.Protocol, [Setting.EnablePush, 2], false],
    ['a server that wants pushes', H2Error.Protocol, [Setting.EnablePush, 1], true],
    ['a client that wants pushes', H2Error.None, [Setting.EnablePush, 1], false],
  ])('judges %s', (_what, code, entries, fromServer) => expect(applied(entries, fromServer).error).toBe(code));
});

describe('flow windows', () => {
  it('never grow beyond 31 bits, and may be negative', () => {
    expect(widened(0x7fff_fffe, 1)).toBe(0x7fff_ffff);
    expect(widened(0x7fff_ffff, 1)).toBeNaN();
    expect(widened(10, -30)).toBe(-20);
  });

  it('are refilled such that the other side may always send, and never more than the window', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 1_000 }), fc.array(fc.nat(1_000)), (size, arrivals) => {
        const window = new ReceiveWindow(size);
        let allowed = size;
        for (const bytes of arrivals) {
          const fits = bytes <= allowed;
          expect(window.take(bytes)).toBe(fits);
          if (!fits) return;
          allowed += window.due(0) - bytes;
          expect(allowed).toBe(window.left);
          expect(allowed).toBeGreaterThan(0);
          expect(allowed).toBeLessThanOrEqual(size);
        }
      }),
      { seed: 6 },
    );
  });
});

describe('ReceiveWindow', () => {
  it('keeps from the other side what is held back', () => {
    const window = new ReceiveWindow(100);
    window.take(90);
    expect(window.due(60)).toBe(0);
    expect(window.due(40)).toBe(50);
    expect(window.left).toBe(60);
  });
});

describe('FrameRate', () => {
  it('lets a burst in at once and a pace after it, and takes back what does not count, as a bucket does', () => {
    const step = fc.record({ pause: fc.nat(300), givesBack: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const rate = new FrameRate(10, 5);
        let nowMs = 0;
        // In frames times a hundred, which is what ten a second are per millisecond.
        let bucket = 500;
        for (const { pause, givesBack } of steps) {
          nowMs += pause;
          bucket = Math.min(500, bucket + pause);
          if (givesBack) {
            rate.giveBack();
            bucket = Math.min(500, bucket + 100);
            continue;
          }
          const fits = bucket >= 100;
          if (fits) bucket -= 100;
          expect(rate.take(nowMs)).toBe(fits);
        }
      }),
      { seed: 8 },
    );
  });
});

describe('the alarms of the system', () => {
  it('do not ring at once when asked for more than a timer can wait', async () => {
    let rung = 0;
    const disarm = SYSTEM_TIMING.setAlarm(2 ** 31, () => rung++);
    const waiters = new ReadyWaiters();
    const ready = waiters.wait(2 ** 40);
    await new Promise((resolve) => setTimeout(resolve, 5));
    waiters.tell(true);
    expect([rung, await ready]).toEqual([0, true]);
    disarm();
  });
});

describe('HeaderGatherer', () => {
  it('takes little memory for a little block, however often it is cut up, and as much as a large one needs', () => {
    const gatherer = new HeaderGatherer({ maxBlockBytes: 10_000, maxContinuations: 8 });
    const octets = Buffer.from(Array.from({ length: 9_000 }, (_, i) => i % 251));
    gatherer.begin(1, false);
    for (const at of [0, 7, 14]) gatherer.add(octets, at, at + 7);
    expect(gatherer.block.length).toBeLessThanOrEqual(256);
    expect(gatherer.block.subarray(0, gatherer.length)).toEqual(octets.subarray(0, 21));
    gatherer.end();
    gatherer.begin(3, false);
    for (let at = 0; at < 9_000; at += 900) expect(gatherer.add(octets, at, at + 900)).toBe(H2Error.None);
    expect(gatherer.block.subarray(0, gatherer.length)).toEqual(octets);
    expect(gatherer.block.length).toBeLessThanOrEqual(10_000);
  });
});
