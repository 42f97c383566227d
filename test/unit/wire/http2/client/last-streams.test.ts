import { describe, expect, it } from 'vitest';
import { GrpcStatus } from '../../../../../src/core/grpc-status.ts';
import { MASK_31 } from '../../../../../src/wire/http2/frames/frame-format.ts';
import { Setting } from '../../../../../src/wire/http2/settings.ts';
import { over, textOf, world } from '../../../../support/channel-world.ts';
import { say } from '../../../../support/scripted-h2-server.ts';

/** A connection whose numbers come to their end (RFC 9113, 5.1.1): a call in a thousand million sees it, so tests begin near it. */

describe('H2Channel and the last streams of a connection', () => {
  it('goes on with a new connection, and loses no call of the old one', async () => {
    const it = await world({ firstStreamId: MASK_31 - 2 });
    const first = await it.connected();
    const endings = [it.ask(), it.ask(), it.ask(), it.ask()];
    await first.heard(`data ${MASK_31}`);
    const second = await it.server.next();
    second.send(say.settings());
    await second.heard(`data ${MASK_31}`);
    expect([first.ended, second.ended]).toEqual([false, false]);
    first.send(say.answer(MASK_31, 'b'), say.answer(MASK_31 - 2, 'a'));
    second.send(say.answer(MASK_31 - 2, 'c'), say.answer(MASK_31, 'd'));
    expect(await Promise.all(endings.map(textOf))).toEqual(['a', 'b', 'c', 'd']);
    await first.heard('goaway 0 0');
    await first.gone();
  });

  it('says on each new connection that it keeps no table', async () => {
    const it = await world({ firstStreamId: MASK_31 });
    for (let i = 0; i < 3; i++) {
      const ending = it.ask();
      const peer = await it.server.next();
      peer.send(say.settings(Setting.HeaderTableSize, 0));
      await peer.heard(`data ${MASK_31}`);
      peer.send(say.answer(MASK_31, `${i}`));
      expect(await textOf(ending)).toBe(`${i}`);
      await peer.gone();
    }
  });

  it('waits for a connection that has used its numbers up, though it may have only one', async () => {
    const it = await world({ firstStreamId: MASK_31, maxConnections: 1 });
    const first = await it.connected();
    const [long, next] = [it.ask(), it.ask()];
    await first.heard(`data ${MASK_31}`);
    const second = await it.server.next();
    second.send(say.settings());
    await second.heard(`data ${MASK_31}`);
    second.send(say.answer(MASK_31, 'next'));
    expect(await textOf(next!)).toBe('next');
    first.send(say.answer(MASK_31, 'long'));
    expect(await textOf(long!)).toBe('long');
  });

  it('counts streams above the last of GOAWAY also there', async () => {
    const it = await world({ firstStreamId: MASK_31 - 2 });
    const peer = await it.connected();
    const [first, second] = [it.ask(), it.ask()];
    await peer.heard(`data ${MASK_31}`);
    peer.send(say.goAway(MASK_31));
    peer.send(say.goAway(MASK_31 - 2));
    const other = await it.server.next();
    other.send(say.settings());
    await other.heard(`data ${MASK_31 - 2}`);
    other.send(say.answer(MASK_31 - 2, 'b'));
    expect(await textOf(second!)).toBe('b');
    peer.send(say.answer(MASK_31 - 2, 'a'));
    expect(await textOf(first!)).toBe('a');
  });

  it('takes nothing on a stream that is not there', async () => {
    const it = await world({ firstStreamId: MASK_31 - 2 });
    const peer = await it.connected();
    const ending = it.ask();
    await peer.heard(`data ${MASK_31 - 2}`);
    peer.send(say.answer(MASK_31, 'not begun'));
    expect(await over(ending)).toEqual([GrpcStatus.Unavailable, true]);
    expect(await peer.heard('goaway')).toContain('goaway 0 1 ');
  });
});
