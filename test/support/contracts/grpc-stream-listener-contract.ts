import { type ClientHttp2Stream, connect } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { Metadata, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { grpcListen } from '../../../src/config/listen-schema.ts';
import { Reply } from '../../../src/core/exchange.ts';
import { Fault } from '../../../src/core/faults.ts';
import { GrpcListener, type GrpcListenerOptions } from '../../../src/gateway/listeners/grpc-listener.ts';
import { LocalByteBudget } from '../../../src/limits/byte-budget.ts';
import type { GrpcEngine } from '../../../src/wire/grpc/open-channel.ts';
import { encodeInferRequest } from '../../../src/wire/oip/infer-request.ts';
import { stockDecode } from '../../unit/wire/oip/stock-protobuf.ts';
import { type OpenDoor, openDoor } from '../open-door.ts';
import { RecordingFront, type Visit } from '../recording-front.ts';
import { type StreamCall, StreamCaller } from '../stream-caller.ts';

const PATH = '/inference.GRPCInferenceService/ModelStreamInfer';
const REFLECTION = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';

/** ModelInferRequest with an id and parameters; its own bytes serve as the answer, whose first fields have the same numbers. */
function request(id: string, params: Record<string, boolean> = {}): Buffer {
  const map = new Map(Object.entries(params));
  return encodeInferRequest(
    { task: 'predict', model: 'm', version: '', id, params: map, inputs: [], wanted: [], timeoutUs: 0, sequenceId: '' },
    'm',
    '',
  );
}

function success(pieces: readonly Uint8Array[], headers: readonly string[] = []): Reply {
  const reply = new Reply();
  reply.pieces = pieces;
  reply.headers.push(...headers);
  return reply;
}

function refusal(code: number, message: string, headers: readonly string[] = []): Reply {
  const reply = new Reply();
  reply.grpc = code;
  reply.message = message;
  reply.headers.push(...headers);
  return reply;
}

function echoFront(): RecordingFront {
  const front = new RecordingFront();
  front.onComplete = (visit) => visit.exit.send(success(visit.pieces));
  front.onFail = (visit, kind) => visit.exit.send(refusal(kind.grpc, kind.code));
  return front;
}

/** A front whose requests wait until a test answers them. */
function waitingFront(): RecordingFront {
  const front = echoFront();
  front.onComplete = () => undefined;
  return front;
}

const answerTo = (visit: Visit): void => visit.exit.send(success(visit.pieces));
const idsOf = (call: StreamCall): string[] => call.received.map((bytes) => decoded(bytes)['infer_response']['id']);
const decoded = (bytes: Buffer) => stockDecode('ModelStreamInferResponse', bytes);

const closers: (() => unknown)[] = [];
const fronts: RecordingFront[] = [];

/** The engine of the test that runs. */
let engineUnderTest: GrpcEngine = 'grpc-js';

async function serve(
  front = echoFront(),
  config: Partial<ReturnType<typeof grpcListen.parse>> = {},
  options: Partial<GrpcListenerOptions> = {},
): Promise<{ front: RecordingFront; door: OpenDoor; caller: StreamCaller; port: number }> {
  const listener = new GrpcListener(
    grpcListen.parse({ engine: engineUnderTest, ...config }),
    { maxBodyBytes: 1_000_000, bytes: new LocalByteBudget(4_000_000), tls: null, isReady: () => true, ...options },
    front,
  );
  const door = await openDoor(listener);
  const { port } = door;
  fronts.push(front);
  closers.push(() => door.drain(0));
  const caller = new StreamCaller(`127.0.0.1:${port}`);
  closers.push(() => caller.close());
  return { front, door, caller, port };
}

/** A stream in frames, for what no gRPC library would send. */
function rawStream(port: number, path = PATH): ClientHttp2Stream {
  const session = connect(`http://127.0.0.1:${port}`).on('error', () => undefined);
  closers.push(() => session.destroy());
  const stream = session.request({ ':method': 'POST', ':path': path, te: 'trailers', 'content-type': 'application/grpc' });
  return stream.on('error', () => undefined);
}

function frame(message: Uint8Array, statedLength = message.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(statedLength, 1);
  return Buffer.concat([head, message]);
}

/** What the gRPC face does, whichever engine speaks HTTP/2. */
export function grpcStreamListenerContract(engine: GrpcEngine): void {
  describe(`streams over ${engine}`, () => {
    beforeEach(() => {
      engineUnderTest = engine;
    });

    afterEach(async () => {
      for (const close of closers.splice(0).reverse()) await close();
      for (const front of fronts.splice(0)) {
        // Whatever the test was about: every request that was opened has been closed, once, and in order.
        await front.heard('closed', front.visits.length);
        expect(front.violations).toEqual([]);
      }
    });

    describe('a stream of requests', () => {
      it('is many requests to the front, each with its head, its length and its end', async () => {
        const { front, caller } = await serve();
        const call = caller.open(PATH, { 'x-request-id': 'r', 'x-api-key': 'k' });
        for (const id of ['a', 'bb', 'ccc']) call.write(request(id));
        await call.messages(3);
        call.end();
        expect((await call.status).code).toBe(status.OK);
        expect(idsOf(call)).toEqual(['a', 'bb', 'ccc']);
        expect(front.visits.map(({ events }) => events)).toEqual(new Array(3).fill(['open', 'complete', 'closed']));
        expect(front.visits.map(({ head }) => [head.path, head.face, head.contentLength, head.header('x-api-key')])).toEqual(
          ['a', 'bb', 'ccc'].map((id) => [PATH, 'grpc', request(id).length, 'k']),
        );
        expect(front.visits.map(({ head }) => head.header('x-request-id'))).toEqual(['r.1', 'r.2', 'r.3']);
      });

      it('answers as answers are found, whatever the order of the requests', async () => {
        const { front, caller } = await serve(waitingFront());
        const call = caller.open(PATH);
        for (const id of ['a', 'b', 'c']) call.write(request(id));
        await front.heard('complete', 3);
        answerTo(front.visits[2]!);
        await call.messages(1);
        answerTo(front.visits[0]!);
        await call.messages(2);
        expect(front.visits[1]!.events).toEqual(['open', 'complete']);
        answerTo(front.visits[1]!);
        await call.messages(3);
        expect(idsOf(call)).toEqual(['c', 'a', 'b']);
        call.end();
        await call.status;
      });

      it('answers a request before the next one is sent, and a message without bytes', async () => {
        const front = echoFront();
        front.onOpen = (visit) => {
          if (visit.head.contentLength === 0) visit.exit.send(refusal(3, 'empty'));
        };
        const { caller } = await serve(front);
        front.wantsBody = true;
        const call = caller.open(PATH);
        call.write(request('one'));
        await call.messages(1);
        front.wantsBody = false;
        call.write('');
        await call.messages(2);
        expect(decoded(call.received[1]!)).toMatchObject({ error_message: 'empty' });
        call.end();
        await call.status;
      });

      it('puts what metadata would say into the parameters of the answer', async () => {
        const front = echoFront();
        front.onComplete = (visit) => visit.exit.send(success(visit.pieces, ['x-sluice-variant', 'v1', 'x-request-id', 'q']));
        const { caller } = await serve(front);
        const call = caller.open(PATH);
        call.write(request('a'));
        await call.messages(1);
        expect(decoded(call.received[0]!)['infer_response']['parameters']).toEqual({
          'x-sluice-variant': { string_param: 'v1' },
          'x-request-id': { string_param: 'q' },
        });
        call.end();
        await call.status;
      });

      it('marks the only answer as the last for those who ask for it', async () => {
        const front = echoFront();
        front.onComplete = (visit) => visit.exit.send(success([Buffer.from('0a016d', 'hex')]));
        const { caller } = await serve(front);
        const call = caller.open(PATH);
        call.write(request('a', { triton_enable_empty_final_response: true }));
        call.write(request('b', { triton_enable_empty_final_response: false }));
        await call.messages(2);
        const [asked, unasked] = call.received.map((bytes) => decoded(bytes)['infer_response']['parameters']);
        expect(asked).toEqual({ triton_final_response: { bool_param: true } });
        expect(unasked).toEqual({});
        call.end();
        await call.status;
      });

      it('finishes what is in flight after the client has said all, then ends with OK', async () => {
        const { front, caller } = await serve(waitingFront());
        const call = caller.open(PATH);
        for (const id of ['a', 'b']) call.write(request(id));
        call.end();
        await front.heard('complete', 2);
        answerTo(front.visits[0]!);
        await call.messages(1);
        expect(call.ended).toBe(false);
        answerTo(front.visits[1]!);
        expect((await call.status).code).toBe(status.OK);
        expect(call.received).toHaveLength(2);
      });

      it('ends with OK when nothing was asked', async () => {
        const { front, caller } = await serve();
        const call = caller.open(PATH);
        call.end();
        expect((await call.status).code).toBe(status.OK);
        expect(front.visits).toHaveLength(0);
      });

      it('takes compressed messages', async () => {
        const { front, port } = await serve();
        const session = connect(`http://127.0.0.1:${port}`);
        closers.push(() => session.destroy());
        const stream = session.request({
          ':method': 'POST',
          ':path': PATH,
          'grpc-encoding': 'gzip',
          'content-type': 'application/grpc',
        });
        const packed = frame(gzipSync(request('z')));
        packed[0] = 1;
        stream.resume();
        stream.end(packed);
        await front.heard('closed');
        expect(Buffer.concat(front.only.pieces)).toEqual(request('z'));
      });
    });

    describe('refusals in a stream', () => {
      function picky(): RecordingFront {
        const front = echoFront();
        front.onComplete = (visit) => {
          if (visit.body.includes('bad')) visit.exit.send(refusal(5, 'no such model', ['x-sluice-fault', 'NOT_FOUND']));
          else answerTo(visit);
        };
        return front;
      }

      it('are messages with the id of their request, and the stream goes on', async () => {
        const { caller } = await serve(picky());
        const call = caller.open(PATH);
        for (const id of ['ok-1', 'bad-2', 'ok-3']) call.write(request(id));
        call.end();
        expect((await call.status).code).toBe(status.OK);
        const [first, second, third] = call.received.map(decoded);
        expect(first!['error_message'] ?? '').toBe('');
        expect(second).toMatchObject({
          error_message: 'no such model',
          infer_response: { id: 'bad-2', parameters: { 'x-sluice-fault': { string_param: 'NOT_FOUND' } } },
        });
        expect(third!['infer_response']['id']).toBe('ok-3');
      });

      it('carry the id also when the front refuses before it has seen the message', async () => {
        const front = echoFront();
        front.wantsBody = false;
        front.onOpen = ({ exit }) => exit.send(refusal(8, 'too fast', ['retry-after', '2']));
        const { caller } = await serve(front);
        const call = caller.open(PATH);
        call.write(request('early'));
        await call.messages(1);
        expect(decoded(call.received[0]!)).toMatchObject({
          error_message: 'too fast',
          infer_response: { id: 'early', parameters: { 'retry-after': { string_param: '2' } } },
        });
        call.end();
        await call.status;
      });

      it('come without an id for a message that cannot be read, and never without a reason', async () => {
        const front = echoFront();
        front.onComplete = ({ exit }) => exit.send(refusal(3, ''));
        const { caller } = await serve(front);
        const call = caller.open(PATH);
        call.write(Uint8Array.of(0xff, 0xff));
        await call.messages(1);
        expect(decoded(call.received[0]!)).toMatchObject({ error_message: 'The request failed.', infer_response: {} });
        call.end();
        await call.status;
      });

      it('are the status of the stream for those who ask for it, and what is in flight is given up', async () => {
        const front = picky();
        const { caller } = await serve(front);
        front.onComplete = (visit) => {
          if (visit.body.includes('bad')) visit.exit.send(refusal(5, 'no such model', ['x-sluice-fault', 'NOT_FOUND']));
        };
        const call = caller.open(PATH, { triton_grpc_error: 'true' });
        call.write(request('waits'));
        call.write(request('bad'));
        const end = await call.status;
        expect(end).toMatchObject({ code: status.NOT_FOUND, details: 'no such model' });
        expect(end.metadata.get('x-sluice-fault')).toEqual(['NOT_FOUND']);
        await front.heard('closed', 2);
        expect(front.visits[0]!.events).toEqual(['open', 'complete', 'gone', 'closed']);
        expect(call.received).toHaveLength(0);
      });

      it('end the stream when the caller is no longer known', async () => {
        const front = echoFront();
        front.onComplete = ({ exit }) => exit.send(refusal(16, 'who?'));
        const { caller } = await serve(front);
        const call = caller.open(PATH);
        call.write(request('a'));
        expect(await call.status).toMatchObject({ code: status.UNAUTHENTICATED, details: 'who?' });
      });
    });

    describe('taking a stream', () => {
      it('refuses an unknown caller on metadata, and reads nothing', async () => {
        const front = echoFront();
        front.knowsCaller = false;
        front.wantsBody = false;
        front.onOpen = ({ exit }) => exit.send(refusal(16, 'who?', ['x-request-id', 'r-1']));
        const { caller } = await serve(front);
        const call = caller.open(PATH);
        const end = await call.status;
        expect(end).toMatchObject({ code: status.UNAUTHENTICATED, details: 'who?' });
        expect(end.metadata.get('x-request-id')).toEqual(['r-1']);
        await front.heard('closed');
        expect(front.only.events).toEqual(['open', 'closed']);
      });

      it('refuses one more than the limit, and takes the next when one has ended', async () => {
        const { front, caller } = await serve(echoFront(), { maxStreams: 1 });
        const first = caller.open(PATH);
        await first.until('the first stream', () => first.initial !== null);
        const second = caller.open(PATH);
        expect(await second.status).toMatchObject({ code: status.UNAVAILABLE, details: 'OVERLOADED' });
        expect(front.only.events).toEqual(['open', 'fail OVERLOADED', 'closed']);
        first.end();
        await first.status;
        const third = caller.open(PATH);
        third.end();
        expect((await third.status).code).toBe(status.OK);
      });

      it('leaves reflection to the front as an unknown method while it is off, and streams it while it is on', async () => {
        const off = await serve();
        const refused = off.caller.open(REFLECTION);
        refused.write('one');
        refused.write('two');
        refused.end();
        expect((await refused.status).code).toBe(status.INVALID_ARGUMENT);
        const on = await serve(echoFront(), { reflection: true });
        const call = on.caller.open(REFLECTION);
        call.write('question');
        call.write('another');
        await call.messages(2);
        expect(call.received.map(String)).toEqual(['question', 'another']);
        call.end();
        expect((await call.status).code).toBe(status.OK);
      });
    });

    describe('the bounds of a stream', () => {
      it('reads no further while as much is in flight as is allowed', async () => {
        const { front, caller } = await serve(waitingFront(), { maxStreamInFlight: 3 });
        const call = caller.open(PATH);
        for (let i = 0; i < 10; i++) call.write(request(`r${i}`));
        await front.heard('complete', 3);
        await sleep(50);
        expect(front.visits).toHaveLength(3);
        for (let i = 0; i < 10; i++) {
          await front.heard('complete', i + 1);
          expect(front.visits.filter(({ events }) => !events.includes('closed')).length).toBeLessThanOrEqual(3);
          answerTo(front.visits[i]!);
          await call.messages(i + 1);
        }
        call.end();
        expect((await call.status).code).toBe(status.OK);
      });

      it('counts an answer that the client does not take as in flight', async () => {
        const front = echoFront();
        front.onComplete = (visit) => visit.exit.send(success([Buffer.alloc(200_000)]));
        const { port } = await serve(front, { maxStreamInFlight: 4 });
        const stream = rawStream(port);
        for (let i = 0; i < 40; i++) stream.write(frame(request(`r${i}`)));
        stream.end();
        await front.heard('complete', 4);
        await sleep(60);
        expect(front.visits).toHaveLength(4);
        stream.resume();
        await front.heard('closed', 40);
      });

      it('cuts a client that takes nothing of its answers', async () => {
        const front = echoFront();
        front.onComplete = (visit) => visit.exit.send(success([Buffer.alloc(500_000)]));
        const { port } = await serve(front, { writeStallMs: 60 });
        const stream = rawStream(port);
        for (let i = 0; i < 8; i++) stream.write(frame(request(`r${i}`)));
        await front.heard('closed', 8);
        expect(front.visits.map(({ events }) => events)).toEqual(new Array(8).fill(['open', 'complete', 'gone', 'closed']));
      });

      it('ends a stream that is silent, and not one that waits for an answer', async () => {
        const { front, caller } = await serve(waitingFront(), { maxStreamIdleMs: 40 });
        const call = caller.open(PATH);
        call.write(request('slow'));
        await front.heard('complete');
        await sleep(80);
        expect(call.ended).toBe(false);
        answerTo(front.only);
        expect(await call.status).toMatchObject({
          code: status.UNAVAILABLE,
          details: 'No message came for 40 ms; open a new stream for the next.',
        });
        expect(call.received).toHaveLength(1);
      });

      it('ends a stream whose message is larger than allowed, gives up the others and shows it to the front', async () => {
        const { front, caller } = await serve(waitingFront(), {}, { maxBodyBytes: 1_000 });
        const call = caller.open(PATH);
        call.write(request('waits'));
        await front.heard('complete');
        call.write(Buffer.alloc(1_001));
        expect((await call.status).code).toBe(status.RESOURCE_EXHAUSTED);
        await front.heard('closed', 2);
        expect(front.visits.map(({ events }) => events)).toEqual([
          ['open', 'complete', 'gone', 'closed'],
          ['open', 'fail BODY_TOO_LARGE', 'closed'],
        ]);
      });

      it('ends a stream whose message takes too long, after what is in flight', async () => {
        const { front, port } = await serve(waitingFront(), {}, { bodyTimeoutMs: 40 });
        const stream = rawStream(port).resume();
        stream.write(frame(request('whole')));
        stream.write(frame(request('cut').subarray(0, 3), 100));
        const trailers = new Promise<Record<string, unknown>>((resolve) => stream.on('trailers', resolve));
        await front.heard('fail BODY_TIMEOUT');
        expect(front.visits[0]!.events).toEqual(['open', 'complete']);
        answerTo(front.visits[0]!);
        expect(await trailers).toMatchObject({ 'grpc-status': '4', 'grpc-message': 'BODY_TIMEOUT' });
      });

      it('gives a client that it does not read all the time it takes', async () => {
        const { front, port } = await serve(waitingFront(), { maxStreamInFlight: 1 }, { bodyTimeoutMs: 40 });
        const stream = rawStream(port).resume();
        stream.write(Buffer.concat([frame(request('one')), frame(request('two')).subarray(0, 4)]));
        await front.heard('complete');
        await sleep(90);
        expect(front.visits).toHaveLength(1);
        stream.end(frame(request('two')).subarray(4));
        answerTo(front.visits[0]!);
        await front.heard('complete', 2);
        answerTo(front.visits[1]!);
        await new Promise((resolve) => stream.on('close', resolve));
      });

      it('bounds the bytes on their way over all streams together', async () => {
        const { front, port } = await serve(echoFront(), {}, { bytes: new LocalByteBudget(10_000) });
        const [first, second] = [rawStream(port).resume(), rawStream(port).resume()];
        first.write(frame(Buffer.alloc(6_000), 50_000));
        await sleep(30);
        const ended = new Promise<Record<string, unknown>>((resolve) => second.on('trailers', resolve));
        second.write(frame(Buffer.alloc(6_000), 50_000));
        expect(await ended).toMatchObject({ 'grpc-status': '14', 'grpc-message': 'OVERLOADED' });
        expect(front.only.events.slice(0, 2)).toEqual(['open', 'fail OVERLOADED']);
        first.close();
        await new Promise((resolve) => first.on('close', resolve));
        const third = rawStream(port).resume();
        third.end(frame(Buffer.alloc(8_000)));
        await front.heard('complete');
      });

      it('takes no more bytes once its end is decided, and still finishes what is in flight', async () => {
        const { front, port } = await serve(waitingFront(), {}, { bytes: new LocalByteBudget(10_000) });
        const stream = rawStream(port).resume();
        const ended = new Promise<Record<string, unknown>>((resolve) => stream.on('trailers', resolve));
        stream.write(frame(request('whole')));
        await front.heard('complete');
        stream.write(frame(Buffer.alloc(900_000), 950_000));
        await front.heard('fail OVERLOADED');
        await sleep(60);
        expect(stream.writableLength).toBeGreaterThan(500_000);
        expect(front.visits[0]!.events).toEqual(['open', 'complete']);
        answerTo(front.visits[0]!);
        expect(await ended).toMatchObject({ 'grpc-status': '14' });
      });

      it('takes thousands of messages from one piece of bytes without nesting', async () => {
        const { front, port } = await serve(echoFront(), { maxStreamInFlight: 1_024 });
        front.wantsBody = false;
        front.onOpen = ({ exit }) => exit.send(refusal(3, 'empty'));
        const stream = rawStream(port).resume();
        stream.end(Buffer.alloc(5 * 3_000));
        await front.heard('closed', 3_000);
      });
    });

    describe('the end of a stream', () => {
      it('tells the front of every request in flight that the client has gone', async () => {
        const { front, caller } = await serve(waitingFront());
        const call = caller.open(PATH);
        for (const id of ['a', 'b', 'c']) call.write(request(id));
        await front.heard('complete', 3);
        call.call.cancel();
        await front.heard('closed', 3);
        expect(front.visits.map(({ events }) => events)).toEqual(new Array(3).fill(['open', 'complete', 'gone', 'closed']));
        for (const visit of front.visits) answerTo(visit);
      });

      it('is seen also while nothing is read', async () => {
        const { front, caller } = await serve(waitingFront(), { maxStreamInFlight: 1 });
        const call = caller.open(PATH);
        for (let i = 0; i < 50; i++)
          call.write(Buffer.concat([request('a'), Buffer.from([0x4a, 0xe8, 0x07]), Buffer.alloc(1_000)]));
        await front.heard('complete', 1);
        call.call.cancel();
        await front.heard('closed', 1);
        expect(front.only.events).toEqual(['open', 'complete', 'gone', 'closed']);
      });

      it('gives each request what is left of the deadline, and comes with it', async () => {
        const { front, caller } = await serve(waitingFront());
        const call = caller.open(PATH, {}, 400);
        call.write(request('a'));
        await front.heard('complete');
        await sleep(120);
        call.write(request('b'));
        await front.heard('complete', 2);
        const [first, second] = front.visits.map(({ head }) => head.timeoutMs);
        expect(first).toBeGreaterThan(300);
        expect(first).toBeLessThanOrEqual(400);
        expect(second).toBeLessThanOrEqual(first! - 100);
        expect((await call.status).code).toBe(status.DEADLINE_EXCEEDED);
      });

      it('has a status of its own at the deadline, for a client that does not watch it', async () => {
        const { front, port } = await serve(waitingFront());
        const session = connect(`http://127.0.0.1:${port}`);
        closers.push(() => session.destroy());
        const stream = session.request({
          ':method': 'POST',
          ':path': PATH,
          'grpc-timeout': '60m',
          'content-type': 'application/grpc',
        });
        stream.write(frame(request('a')));
        const trailers = new Promise<Record<string, unknown>>((resolve) => stream.resume().on('trailers', resolve));
        await front.heard('complete');
        await sleep(80);
        front.only.exit.send(refusal(4, 'late'));
        expect(await trailers).toMatchObject({ 'grpc-status': '4' });
      });

      it.each(['2147483S', '2592000S', '99999999H'])('takes a grant of %s for no deadline in the past', async (grant) => {
        const { port } = await serve(echoFront());
        const session = connect(`http://127.0.0.1:${port}`);
        closers.push(() => session.destroy());
        const fields = { ':method': 'POST', ':path': PATH, 'grpc-timeout': grant, 'content-type': 'application/grpc' };
        const stream = session.request(fields);
        stream.write(frame(request('a')));
        const trailers = new Promise<Record<string, unknown>>((resolve) => stream.on('trailers', resolve));
        await new Promise((resolve) => stream.once('data', resolve));
        await sleep(20);
        stream.resume().end();
        expect(await trailers).toMatchObject({ 'grpc-status': '0' });
      });

      it('cuts the call when a reply cannot be had whole', async () => {
        const front = echoFront();
        front.onComplete = ({ exit }) => exit.reset();
        const { caller } = await serve(front);
        const call = caller.open(PATH);
        call.write(request('a'));
        expect((await call.status).code).toBe(status.CANCELLED);
      });

      it('waits for what is in flight when the listener drains, then asks for another place', async () => {
        const { front, caller, door } = await serve(waitingFront());
        const busy = caller.open(PATH);
        const idle = caller.open(PATH);
        await idle.until('the idle stream', () => idle.initial !== null);
        busy.write(request('a'));
        await front.heard('complete');
        const drained = door.drain(10_000);
        expect(await idle.status).toMatchObject({ code: status.UNAVAILABLE, details: Fault.Draining.message });
        expect(busy.ended).toBe(false);
        busy.write(request('b'));
        await front.heard('complete', 2);
        for (const visit of front.visits) answerTo(visit);
        await busy.messages(2);
        expect((await busy.status).code).toBe(status.UNAVAILABLE);
        await drained;
      });

      it('hands nothing of the metadata on but what is asked for by name', async () => {
        const { front, caller } = await serve();
        const call = caller.open(PATH, { 'x-secret': 's', traceparent: 't' });
        call.write(request('a'));
        await call.messages(1);
        expect(call.initial).toBeInstanceOf(Metadata);
        expect(front.only.head.header('traceparent')).toBe('t');
        expect(call.initial!.get('x-secret')).toEqual([]);
        call.end();
        await call.status;
      });
    });
  });
}
