import type { ServerHttp2Stream } from 'node:http2';
import { afterEach, describe, expect, it } from 'vitest';
import { http2Backend } from '../../../src/config/http2-schema.ts';
import { GrpcStatus } from '../../../src/core/grpc-status.ts';
import type { GrpcChannel, GrpcChannelOptions, StreamAnswers } from '../../../src/wire/grpc/grpc-channel.ts';
import { answer, framed, GRPC_HEAD, type OnCall, startBareServer } from '../bare-http2-server.ts';
import { Listening } from '../call-endings.ts';

/** What every GrpcChannel promises of calls with many answers. */

const MAX_BYTES = 4_000_000;
const HTTP2 = http2Backend.parse({});
const closers: (() => unknown)[] = [];

export function grpcStreamContract(name: string, make: (options: GrpcChannelOptions) => GrpcChannel): void {
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  /** A call whose answers are asked for as they come where `eager`; else the first alone. */
  async function call(onCall: OnCall, eager: boolean, timeoutMs = 10_000): Promise<{ sink: Listening; answers: StreamAnswers }> {
    const server = await startBareServer(onCall);
    closers.push(() => server.close());
    const options = {
      address: server.address,
      ip: '',
      tls: null,
      maxMessageBytes: MAX_BYTES,
      connectTimeoutMs: 2_000,
      http2: HTTP2,
    };
    const channel = make(options);
    closers.push(() => channel.close());
    await channel.ready(5_000);
    const sink = new Listening();
    const answers = channel.streamed('/a/Stream', [Buffer.from('how '), Buffer.from('many')], { headers: [], timeoutMs }, sink);
    expect([sink.ends, sink.messages.length]).toEqual([0, 0]);
    if (eager) sink.onEach = () => answers.read();
    return { sink, answers };
  }

  const texts = (sink: Listening): string[] => sink.messages.map((message) => message.toString());
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  describe(`${name} and a stream of answers`, () => {
    it('hands them on in their order, and then the end', async () => {
      const { sink } = await call(
        (stream, _headers, question) => answer(stream, [question.subarray(5), Buffer.from('b'), Buffer.alloc(0)]),
        true,
      );
      await sink.ended;
      expect([texts(sink), sink.status, sink.sent, sink.ends]).toEqual([['how many', 'b', ''], GrpcStatus.Ok, true, 1]);
    });

    it('hands on what is asked for, one by one, and the end behind the last', async () => {
      const { sink, answers } = await call(
        (stream) =>
          answer(
            stream,
            ['a', 'b', 'c'].map((text) => Buffer.from(text)),
          ),
        false,
      );
      for (const seen of [['a'], ['a', 'b'], ['a', 'b', 'c']]) {
        while (sink.messages.length < seen.length) await pause(5);
        await pause(30);
        expect(texts(sink)).toEqual(seen);
        if (seen.length < 3) expect(sink.ends).toBe(0);
        answers.read();
      }
      await sink.ended;
      expect([sink.status, sink.ends]).toEqual([GrpcStatus.Ok, 1]);
    });

    it('leaves with the server what nobody asks for, and fetches it when somebody does', async () => {
      const piece = framed(Buffer.alloc(50_000, 7));
      let written = 0;
      const { sink, answers } = await call((stream) => {
        stream.respond(GRPC_HEAD, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        const next = (): void => {
          if (written++ === 200) stream.end();
          else stream.write(piece, next);
        };
        next();
      }, false);
      while (sink.messages.length === 0) await pause(5);
      await pause(100);
      expect(sink.messages.length).toBe(1);
      expect(written).toBeLessThan(60);
      sink.onEach = () => answers.read();
      answers.read();
      await sink.ended;
      expect([sink.messages.length, sink.status]).toEqual([200, GrpcStatus.Ok]);
    });

    it('takes a message that is larger than any window', async () => {
      const { sink } = await call((stream) => answer(stream, [Buffer.alloc(3_000_000, 1), Buffer.from('end')]), true);
      await sink.ended;
      expect(sink.messages.map((message) => message.length)).toEqual([3_000_000, 3]);
    });

    it('ends with another status than OK and what belongs to it', async () => {
      const trailers = { 'grpc-status': '14', 'grpc-message': 'not%20now', 'retry-after': '1' };
      const { sink } = await call((stream) => answer(stream, [Buffer.from('a')], trailers), true);
      await sink.ended;
      expect([sink.status, sink.details, sink.sent, sink.pushbackMs, sink.ends]).toEqual([14, 'not now', true, 1_000, 1]);
    });

    const begin = (stream: ServerHttp2Stream): void => {
      stream.respond(GRPC_HEAD);
      stream.write(framed(Buffer.from('a')));
    };

    it('hears Cancelled once, and nothing more, when it is cancelled on its way', async () => {
      const closed = Promise.withResolvers<number | undefined>();
      const { sink, answers } = await call((stream) => {
        stream.on('close', () => closed.resolve(stream.rstCode));
        begin(stream);
      }, true);
      while (sink.messages.length === 0) await pause(5);
      answers.cancel();
      answers.cancel();
      answers.read();
      expect(sink.ends).toBe(0);
      await sink.ended;
      answers.cancel();
      answers.read();
      expect(await closed.promise).toBe(8);
      expect([texts(sink), sink.status, sink.ends]).toEqual([['a'], GrpcStatus.Cancelled, 1]);
    });

    it('may be cancelled from within a message', async () => {
      const { sink, answers } = await call((stream) => answer(stream, [Buffer.from('a'), Buffer.from('b')]), false);
      sink.onEach = () => answers.cancel();
      await sink.ended;
      expect([texts(sink), sink.status, sink.ends]).toEqual([['a'], GrpcStatus.Cancelled, 1]);
    });

    it('ends at its deadline', async () => {
      const { sink } = await call(begin, true, 150);
      await sink.ended;
      expect([texts(sink), sink.status, sink.sent]).toEqual([['a'], GrpcStatus.DeadlineExceeded, true]);
    });

    it('is told of a connection that is lost', async () => {
      const { sink } = await call((stream) => {
        begin(stream);
        setTimeout(() => stream.session!.socket.destroy(), 30);
      }, true);
      await sink.ended;
      expect([texts(sink), sink.status, sink.sent]).toEqual([['a'], GrpcStatus.Unavailable, true]);
    });

    it('is over before it begins on a closed channel', async () => {
      const channel = make({
        address: '127.0.0.1:1',
        ip: '',
        tls: null,
        maxMessageBytes: 1,
        connectTimeoutMs: 100,
        http2: HTTP2,
      });
      channel.close();
      const sink = new Listening();
      channel.streamed('/a', Buffer.alloc(0), { headers: [], timeoutMs: 100 }, sink).cancel();
      await sink.ended;
      expect([sink.sent, sink.ends]).toEqual([false, 1]);
    });
  });
}
