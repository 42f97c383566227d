import { describe, expect, it } from 'vitest';
import type { RequestContext } from '../../../src/core/context.ts';
import { Fault } from '../../../src/core/faults.ts';
import { Phase, Verdict } from '../../../src/core/verdict.ts';
import { Lifecycle, type Phases } from '../../../src/gateway/lifecycle.ts';
import { WriteReply } from '../../../src/gateway/phases/reply.ts';
import { CopiesWorld } from '../../support/copies.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { contextWith, FakeCodec, FakeExit } from '../../support/request-fakes.ts';

/** Writes its answer when a test says so. */
class SlowCodec extends FakeCodec {
  readonly written = Promise.withResolvers<void>();

  override encode(ctx: RequestContext): Promise<void> {
    return this.written.promise.then(() => {
      ctx.reply.pieces = [Buffer.from('late')];
    });
  }
}

interface World {
  readonly ctx: RequestContext;
  readonly exit: FakeExit;
  readonly codec: SlowCodec;
  readonly lifecycle: Lifecycle;
  readonly released: RequestContext[];
  readonly lost: unknown[];
}

/** A request that has come as far as Reply, with the real phase behind it. */
function replying(): World {
  const exit = new FakeExit();
  const codec = new SlowCodec();
  const ctx = contextWith({ exit, codec });
  const released: RequestContext[] = [];
  const lost: unknown[] = [];
  const next = { run: () => Verdict.Next };
  const { copies } = new CopiesWorld(new FakeClock());
  const phases = new Proxy({} as Phases, {
    get: (_, name) => {
      if (name === 'reply') return new WriteReply(copies, { holdBytes: () => Verdict.Next });
      if (name === 'release') return (done: RequestContext) => released.push(done);
      return name === 'hasFollowers' ? () => false : next;
    },
  });
  const lifecycle = new Lifecycle(
    phases,
    () => 1,
    (error) => lost.push(error),
  );
  lifecycle.drive(ctx);
  expect([ctx.phase, exit.sent.length, released.length]).toEqual([Phase.Reply, 0, 0]);
  return { ctx, exit, codec, lifecycle, released, lost };
}

const settle = async ({ codec }: World): Promise<void> => {
  codec.written.resolve();
  for (let turn = 0; turn < 4; turn++) await Promise.resolve();
};

describe('an answer that is packed off the event loop', () => {
  it('is sent when it is ready, and its request released when the exchange closes', async () => {
    const w = replying();
    await settle(w);
    expect(w.exit.sent.map((reply) => Buffer.concat(reply.pieces).toString())).toEqual(['late']);
    expect([w.ctx.phase, w.released.length]).toEqual([Phase.Release, 0]);
    w.lifecycle.closed(w.ctx);
    w.lifecycle.closed(w.ctx);
    expect([w.released, w.lost]).toEqual([[w.ctx], []]);
  });

  it('is sent once where sending closes the exchange at once', async () => {
    const w = replying();
    w.exit.send = (reply) => {
      w.exit.sent.push(reply);
      w.lifecycle.closed(w.ctx);
    };
    await settle(w);
    expect([w.exit.sent.length, w.released.length, w.ctx.phase, w.lost]).toEqual([1, 1, Phase.Done, []]);
  });

  it('is dropped when the exchange has closed before it is ready', async () => {
    const w = replying();
    w.lifecycle.abort(w.ctx, true);
    w.lifecycle.closed(w.ctx);
    expect(w.released).toHaveLength(1);
    await settle(w);
    expect([w.exit.sent.length, w.exit.resets, w.released.length, w.ctx.phase, w.lost]).toEqual([0, 0, 1, Phase.Done, []]);
  });

  it('is dropped, and the exchange cut, when its client has left', async () => {
    const w = replying();
    w.lifecycle.abort(w.ctx, true);
    await settle(w);
    expect([w.exit.sent.length, w.exit.resets, w.ctx.fault]).toEqual([0, 1, Fault.ClientGone]);
    w.lifecycle.closed(w.ctx);
    expect([w.released.length, w.lost]).toEqual([1, []]);
  });

  it('cuts the exchange when it cannot be packed', async () => {
    const w = replying();
    w.codec.written.reject(new Error('no memory'));
    await settle(w);
    expect([w.exit.sent.length, w.exit.resets, w.released.length, w.lost]).toEqual([0, 1, 1, [new Error('no memory')]]);
  });
});
