import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { ChannelCredentials, Client, type ClientUnaryCall, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { grpcListen } from '../../../src/config/listen-schema.ts';
import { Reply } from '../../../src/core/exchange.ts';
import type { FaultKind } from '../../../src/core/faults.ts';
import { GrpcListener, type GrpcListenerOptions } from '../../../src/gateway/listeners/grpc-listener.ts';
import { LocalByteBudget } from '../../../src/limits/byte-budget.ts';
import type { GrpcEngine } from '../../../src/wire/grpc/open-channel.ts';
import { type OpenDoor, openDoor } from '../open-door.ts';
import { RecordingFront, type Visit } from '../recording-front.ts';
import { TEST_CERTIFICATE, TEST_CERTIFICATE_KEY } from '../test-certificate.ts';

const PATH = '/inference.GRPCInferenceService/ModelInfer';

interface Outcome {
  readonly code: number;
  readonly details: string;
  readonly message: Buffer | null;
  readonly initial: Metadata;
  readonly trailing: Metadata;
}

function success(message: string | Uint8Array | readonly Uint8Array[], headers: readonly string[] = []): Reply {
  const reply = new Reply();
  const pieces = typeof message === 'string' ? [Buffer.from(message)] : message;
  reply.pieces = Array.isArray(pieces) ? (pieces as Uint8Array[]) : [pieces as Uint8Array];
  reply.headers.push(...headers);
  return reply;
}

function refusal(code: number, message = '', headers: readonly string[] = []): Reply {
  const reply = new Reply();
  reply.grpc = code;
  reply.message = message;
  reply.headers.push(...headers);
  return reply;
}

/** A front that echoes whole messages and answers faults by their gRPC status, as the gateway does. */
function echoFront(): RecordingFront {
  const front = new RecordingFront();
  front.onComplete = (visit) => visit.exit.send(success(visit.pieces));
  front.onFail = (visit, kind: FaultKind) => visit.exit.send(refusal(kind.grpc, kind.code));
  return front;
}

const closers: (() => unknown)[] = [];
const fronts: RecordingFront[] = [];

/** The engine of the test that runs. */
let engineUnderTest: GrpcEngine = 'grpc-js';

interface Served {
  readonly front: RecordingFront;
  readonly door: OpenDoor;
  readonly port: number;
}

async function serve(
  front = echoFront(),
  config: Partial<ReturnType<typeof grpcListen.parse>> = {},
  options: Partial<GrpcListenerOptions> = {},
): Promise<Served> {
  const listener = new GrpcListener(
    grpcListen.parse({ engine: engineUnderTest, ...config }),
    { maxBodyBytes: 65_536, bytes: new LocalByteBudget(1_000_000), tls: null, isReady: () => true, ...options },
    front,
  );
  const door = await openDoor(listener);
  const { port } = door;
  fronts.push(front);
  closers.push(() => door.drain(0));
  return { front, door, port };
}

class Caller {
  readonly #client: Client;

  constructor(port: number, credentials = ChannelCredentials.createInsecure(), options = {}) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials, { 'grpc.use_local_subchannel_pool': 1, ...options });
    closers.push(() => this.#client.close());
  }

  close(): void {
    this.#client.close();
  }

  call(message: Uint8Array | string, fields: Record<string, string> = {}, path = PATH, timeoutMs = 10_000): Begun {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(fields)) metadata.set(name, value);
    return this.callWith(message, metadata, path, timeoutMs);
  }

  callWith(message: Uint8Array | string, metadata: Metadata, path = PATH, timeoutMs = 10_000): Begun {
    const asIs = (bytes: Buffer): Buffer => bytes;
    let initial = new Metadata();
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const call = this.#client.makeUnaryRequest(
      path,
      asIs,
      asIs,
      Buffer.from(message as string),
      metadata,
      { deadline: Date.now() + timeoutMs },
      (error: ServiceError | null, answer?: Buffer) =>
        resolve({
          code: error?.code ?? status.OK,
          details: error?.details ?? '',
          message: answer ?? null,
          initial,
          trailing: error?.metadata ?? new Metadata(),
        }),
    );
    call.on('metadata', (received: Metadata) => {
      initial = received;
    });
    return { call, outcome: promise };
  }
}

interface Begun {
  readonly call: ClientUnaryCall;
  readonly outcome: Promise<Outcome>;
}

/** HTTP/2 without a gRPC library, for what no gRPC library would send. */
class RawCaller {
  readonly session: ClientHttp2Session;

  constructor(port: number, initialWindowSize = 65_535) {
    this.session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize } });
    this.session.on('error', () => undefined);
    closers.push(() => this.session.destroy());
  }

  begin(fields: Record<string, string | string[]> = {}, path = PATH): RawCall {
    return new RawCall(
      this.session.request({
        ':method': 'POST',
        ':path': path,
        te: 'trailers',
        'content-type': 'application/grpc',
        ...fields,
      }),
    );
  }
}

/** HTTP/2 frames as they are: node:http2 ends a stream properly before it resets it, other clients do not. */
class FrameCaller {
  readonly #socket: Socket;

  constructor(port: number) {
    this.#socket = connectTcp(port, '127.0.0.1').on('error', () => undefined);
    closers.push(() => this.#socket.destroy());
    this.#socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    this.#frame(0x4, 0, 0, Buffer.alloc(0));
  }

  /** Fields as HPACK literals with new names, none indexed: a zero, then name and value, each behind its length. */
  headers(stream: number, fields: Record<string, string>): void {
    const literal = (text: string): Buffer => Buffer.concat([Buffer.of(text.length), Buffer.from(text)]);
    const block = Object.entries(fields).flatMap(([name, value]) => [Buffer.of(0), literal(name), literal(value)]);
    this.#frame(0x1, 0x4, stream, Buffer.concat(block));
  }

  data(stream: number, bytes: Buffer): void {
    this.#frame(0x0, 0, stream, bytes);
  }

  reset(stream: number, code: number): void {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(code);
    this.#frame(0x3, 0, stream, payload);
  }

  #frame(type: number, flags: number, stream: number, payload: Buffer): void {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head[3] = type;
    head[4] = flags;
    head.writeUInt32BE(stream, 5);
    this.#socket.write(Buffer.concat([head, payload]));
  }
}

class RawCall {
  readonly stream: ClientHttp2Stream;
  /** Everything that came back as a header field or trailer. */
  readonly fields: Record<string, unknown> = {};
  readonly received: Buffer[] = [];
  readonly closed: Promise<number>;

  constructor(stream: ClientHttp2Stream) {
    this.stream = stream;
    stream.on('error', () => undefined);
    stream.on('data', (data: Buffer) => this.received.push(data));
    stream.on('response', (headers) => Object.assign(this.fields, headers));
    stream.on('trailers', (headers) => Object.assign(this.fields, headers));
    this.closed = new Promise((resolve) => stream.on('close', () => resolve(stream.rstCode ?? -1)));
  }

  get status(): number {
    return Number(this.fields['grpc-status'] ?? -1);
  }
}

function framed(message: Uint8Array | string, compressed = false, statedLength = -1): Buffer {
  const bytes = Buffer.from(message as string);
  const head = Buffer.alloc(5);
  head[0] = compressed ? 1 : 0;
  head.writeUInt32BE(statedLength < 0 ? bytes.length : statedLength, 1);
  return Buffer.concat([head, bytes]);
}

/** What the gRPC face does, whichever engine speaks HTTP/2. */
export function grpcListenerContract(engine: GrpcEngine): void {
  describe(`GrpcListener over ${engine}`, () => {
    beforeEach(() => {
      engineUnderTest = engine;
    });

    afterEach(async () => {
      for (const close of closers.splice(0).reverse()) await close();
      for (const front of fronts.splice(0)) {
        // Whatever the test was about: every exchange that was opened has been closed, once, and in order.
        await front.heard('closed', front.visits.length);
        expect(front.violations).toEqual([]);
      }
    });

    describe('GrpcListener, what the front is told', () => {
      it('opens with the head before any byte of the message is sent', async () => {
        const { front, port } = await serve();
        const call = new RawCaller(port).begin({ 'x-api-key': 'k', 'grpc-timeout': '2S' });
        await front.heard('open');
        const { head } = front.only;
        expect(head).toMatchObject({
          face: 'grpc',
          method: 'POST',
          path: PATH,
          query: '',
          contentLength: -1,
          remoteAddress: '127.0.0.1',
        });
        expect(head.header('x-api-key')).toBe('k');
        expect(head.header('absent')).toBe('');
        expect(front.only.events).toEqual(['open']);
        call.stream.end(framed('late'));
        await call.closed;
        expect(front.only.events).toEqual(['open', 'complete', 'closed']);
      });

      it('leaves calls to every path to the front', async () => {
        const { front, port } = await serve();
        const outcome = await new Caller(port).call('x', {}, '/nobody.knows/This').outcome;
        expect(outcome.message!.toString()).toBe('x');
        expect(front.only.head.path).toBe('/nobody.knows/This');
      });

      it.each([
        ['', 0],
        ['250m', 250],
        ['3S', 3_000],
        ['2H', 7_200_000],
        ['1u', 1],
      ])('takes the grant "%s" as %i ms', async (grant, expectedMs) => {
        const { front, port } = await serve();
        const call = new RawCaller(port).begin(grant === '' ? {} : { 'grpc-timeout': grant });
        await front.heard('open');
        const { timeoutMs } = front.only.head;
        expect(timeoutMs).toBeLessThanOrEqual(expectedMs);
        expect(timeoutMs).toBeGreaterThanOrEqual(Math.min(expectedMs, Math.max(1, expectedMs - 100)));
        call.stream.end(framed('x'));
        await call.closed;
      });

      it('takes a grant of a month for no limit rather than for one in the past', async () => {
        const { front, port } = await serve();
        const call = new RawCaller(port).begin({ 'grpc-timeout': '2592000S' });
        call.stream.end(framed('x'));
        await call.closed;
        expect(front.only.head.timeoutMs).toBe(0);
        expect(call.status).toBe(0);
      });

      it('reads no binary metadata, and makes no credential out of two', async () => {
        const { front, port } = await serve();
        const call = new RawCaller(port).begin({ 'x-api-key': ['one', 'two'], 'trace-bin': 'AAAA' });
        call.stream.end(framed('x'));
        await call.closed;
        expect(front.only.head.header('trace-bin')).toBe('');
        expect(front.only.head.header('x-api-key')).toBe('one, two');
      });

      it('hands over a message that came in many pieces whole', async () => {
        const { front, port } = await serve();
        const call = new RawCaller(port).begin();
        for (const byte of framed('abc')) call.stream.write(Buffer.of(byte));
        call.stream.end();
        await call.closed;
        expect(front.only.body).toBe('abc');
      });

      it('takes a compressed message', async () => {
        const { front, port } = await serve();
        const call = new RawCaller(port).begin({ 'grpc-encoding': 'gzip' });
        call.stream.end(framed(gzipSync('unfolded'), true));
        await call.closed;
        expect(front.only.body).toBe('unfolded');
      });

      it('keeps many calls on one connection apart', async () => {
        const { front, port } = await serve();
        const caller = new Caller(port);
        const outcomes = await Promise.all(Array.from({ length: 100 }, (_, i) => caller.call(`message ${i}`).outcome));
        expect(outcomes.map(({ message }) => message!.toString())).toEqual(outcomes.map((_, i) => `message ${i}`));
        await front.heard('closed', 100);
      });
    });

    describe('GrpcListener, refusing on metadata', () => {
      function strictFront(): RecordingFront {
        const front = new RecordingFront();
        front.wantsBody = false;
        front.onOpen = ({ exit }) => exit.send(refusal(status.UNAUTHENTICATED, 'no', ['x-request-id', 'r-1']));
        return front;
      }

      it('answers without reading the message, and asks the client to stop sending', async () => {
        const { front, port } = await serve(strictFront());
        const call = new RawCaller(port).begin();
        call.stream.write(framed('', false, 60_000));
        const rstCode = await call.closed;
        expect(call.status).toBe(status.UNAUTHENTICATED);
        expect(call.fields).toMatchObject({ 'grpc-message': 'no', 'x-request-id': 'r-1' });
        expect(rstCode).toBe(constants.NGHTTP2_NO_ERROR);
        expect(front.only.events).toEqual(['open', 'closed']);
      });

      it('is understood by a client with a large message on its way, whose connection lives on', async () => {
        const { front, port } = await serve(strictFront());
        const caller = new Caller(port);
        const outcome = await caller.call(Buffer.alloc(20_000_000)).outcome;
        expect(outcome).toMatchObject({ code: status.UNAUTHENTICATED, details: 'no' });
        expect(outcome.trailing.get('x-request-id')).toEqual(['r-1']);
        await caller.call('again').outcome;
        await front.heard('closed', 2);
        expect(front.visits.map(({ events }) => events)).toEqual([
          ['open', 'closed'],
          ['open', 'closed'],
        ]);
      });

      it('waits for an answer that takes its time, still without reading', async () => {
        const front = new RecordingFront();
        front.wantsBody = false;
        const { port } = await serve(front);
        const call = new RawCaller(port).begin();
        call.stream.write(framed('unread'));
        await front.heard('open');
        front.only.exit.send(refusal(status.PERMISSION_DENIED));
        await call.closed;
        expect(call.status).toBe(status.PERMISSION_DENIED);
        expect(front.only.events).toEqual(['open', 'closed']);
      });

      it('never shows the front a call with more metadata than allowed', async () => {
        const { front, port } = await serve(echoFront(), { maxMetadataBytes: 2_048 });
        const outcome = await new Caller(port).call('x', { 'x-filler': 'y'.repeat(4_000) }).outcome;
        expect(outcome.code).toBe(status.RESOURCE_EXHAUSTED);
        expect(front.visits).toHaveLength(0);
      });
    });

    describe('GrpcListener, messages that cannot be had', () => {
      it('refuses one over the limit as soon as its length is stated', async () => {
        const { front, port } = await serve();
        const call = new RawCaller(port).begin();
        call.stream.write(framed('', false, 65_537));
        await call.closed;
        expect(call.status).toBe(status.RESOURCE_EXHAUSTED);
        expect(front.only.events).toEqual(['open', 'fail BODY_TOO_LARGE', 'closed']);
      });

      it('refuses one that unfolds to more than the limit', async () => {
        const { front, port } = await serve();
        const call = new RawCaller(port).begin({ 'grpc-encoding': 'gzip' });
        call.stream.end(framed(gzipSync(Buffer.alloc(1_000_000)), true));
        await call.closed;
        expect(call.status).toBe(status.RESOURCE_EXHAUSTED);
        expect(front.only.events).toEqual(['open', 'fail BODY_TOO_LARGE', 'closed']);
      });

      it('refuses one over the limit of its own request', async () => {
        const front = echoFront();
        front.bodyLimitBytes = 10;
        const { port } = await serve(front);
        const outcome = await new Caller(port).call('eleven byte').outcome;
        expect(outcome).toMatchObject({ code: status.RESOURCE_EXHAUSTED, details: 'BODY_TOO_LARGE' });
        await front.heard('closed');
        expect(front.only.events).toEqual(['open', 'fail BODY_TOO_LARGE', 'closed']);
      });

      it('takes no more of one than its own limit, and does not wait for its end', async () => {
        const front = echoFront();
        front.bodyLimitBytes = 1_000;
        const { port } = await serve(front);
        const call = new RawCaller(port).begin();
        call.stream.write(framed(Buffer.alloc(1_100), false, 60_000));
        await call.closed;
        expect(call.status).toBe(status.RESOURCE_EXHAUSTED);
        expect(front.only.events).toEqual(['open', 'fail BODY_TOO_LARGE', 'closed']);
      });

      it.each([
        ['two messages', [framed('one'), framed('two')]],
        ['two messages, both empty', [framed(''), framed('')]],
        ['no message', []],
      ])('refuses a call with %s', async (_what, frames) => {
        const { front, port } = await serve();
        const call = new RawCaller(port).begin();
        for (const frame of frames) call.stream.write(frame);
        call.stream.end();
        await call.closed;
        expect(call.status).toBe(status.INVALID_ARGUMENT);
        expect(front.only.events).toEqual(['open', 'fail MALFORMED', 'closed']);
      });

      it('answers another content type in HTTP, and the front never sees it', async () => {
        const { front, port } = await serve();
        const call = new RawCaller(port).begin({ 'content-type': 'application/json' });
        call.stream.end('{}');
        await call.closed;
        expect(call.fields[':status']).toBe(415);
        expect(front.visits).toEqual([]);
      });

      it('takes a call that does not say that it wants trailers', async () => {
        const { front, port } = await serve();
        const { session } = new RawCaller(port);
        const stream = session.request({ ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc+proto' });
        const call = new RawCall(stream);
        stream.end(framed('x'));
        await call.closed;
        expect([call.status, front.only.body]).toEqual([0, 'x']);
      });

      it('refuses a message in an encoding that it does not know', async () => {
        const { front, port } = await serve();
        const call = new RawCaller(port).begin({ 'grpc-encoding': 'snappy' });
        call.stream.end(framed('x', true));
        await call.closed;
        expect(call.status).toBe(status.UNIMPLEMENTED);
        expect(front.only.events).toEqual(['open', 'fail MEDIA_TYPE', 'closed']);
      });

      it.each(['garbage', 'cut'])('refuses a compressed message that is %s', async (kind) => {
        const { front, port } = await serve();
        const whole = gzipSync('abcdefgh'.repeat(100));
        const call = new RawCaller(port).begin({ 'grpc-encoding': 'gzip' });
        call.stream.end(framed(kind === 'cut' ? whole.subarray(0, whole.length - 9) : 'no gzip at all', true));
        await call.closed;
        expect(call.status).toBe(status.INTERNAL);
        expect(front.only.events).toEqual(['open', 'fail MALFORMED', 'closed']);
      });

      it('refuses a grant that is none', async () => {
        const { front, port } = await serve();
        const call = new RawCaller(port).begin({ 'grpc-timeout': 'soon' });
        await call.closed;
        expect(call.status).toBe(status.INTERNAL);
        expect(front.only.events).toEqual(['open', 'fail MALFORMED', 'closed']);
      });

      it.each([' a', 'a ', ' '])('refuses metadata with a blank at an end ("%s"), and says which', async (value) => {
        const { front, port } = await serve();
        const call = new RawCaller(port).begin({ 'x-fine': '1', 'x-note': value });
        await call.closed;
        expect(call.status).toBe(status.INVALID_ARGUMENT);
        expect(decodeURIComponent(String(call.fields['grpc-message']))).toBe(
          'The value of the header field "x-note" begins or ends with a blank; expected none there.',
        );
        expect(front.only.events).toEqual(['open', 'fail MALFORMED', 'closed']);
      });

      it('leaves it to the front to say so of a credential that is empty', async () => {
        const front = echoFront();
        front.wantsBody = false;
        front.onOpen = ({ exit, head }) => exit.send(refusal(status.UNAUTHENTICATED, `found "${head.header('authorization')}"`));
        const { port } = await serve(front);
        const call = new RawCaller(port).begin({ authorization: 'Bearer ' });
        await call.closed;
        expect([call.status, decodeURIComponent(String(call.fields['grpc-message']))]).toEqual([
          status.UNAUTHENTICATED,
          'found "Bearer "',
        ]);
      });

      it('gives a client no longer for its message than the body timeout', async () => {
        const { front, port } = await serve(echoFront(), {}, { bodyTimeoutMs: 30 });
        const call = new RawCaller(port).begin();
        call.stream.write(framed('abc').subarray(0, 6));
        await call.closed;
        expect(call.status).toBe(status.DEADLINE_EXCEEDED);
        expect(front.only.events).toEqual(['open', 'fail BODY_TIMEOUT', 'closed']);
      });

      it('gives it no longer than the client itself grants, and says so in its own words', async () => {
        const { front, port } = await serve();
        const call = new RawCaller(port).begin({ 'grpc-timeout': '30m' });
        await call.closed;
        expect(call.fields).toMatchObject({ 'grpc-status': '4', 'grpc-message': 'DEADLINE_OVER' });
        expect(front.only.events).toEqual(['open', 'fail DEADLINE_OVER', 'closed']);
      });
    });

    describe('GrpcListener, answers', () => {
      it('sends headers ahead of a message, and none of HTTP that gRPC cannot carry', async () => {
        const front = echoFront();
        const headers = ['x-request-id', 'r-1', 'X-Sluice-Variant', 'v1', 'connection', 'close', 'content-type', 'text/plain'];
        front.onComplete = ({ exit }) =>
          exit.send(success('ok', [...headers, 'x-odd', 'line\nbreak', 'grpc-status', '7', 'a-bin', 'b']));
        const { port } = await serve(front);
        const { code, initial, message } = await new Caller(port).call('x').outcome;
        expect([code, message!.toString()]).toEqual([status.OK, 'ok']);
        expect(initial.get('x-request-id')).toEqual(['r-1']);
        expect(initial.get('x-sluice-variant')).toEqual(['v1']);
        expect(initial.get('content-type')).toEqual(['application/grpc+proto']);
        expect(initial.get('x-odd')).toEqual([]);
      });

      it('sends headers behind a refusal', async () => {
        const front = echoFront();
        front.onComplete = ({ exit }) =>
          exit.send(refusal(status.NOT_FOUND, 'gone', ['x-request-id', 'r-1', 'retry-after', '1']));
        const { port } = await serve(front);
        const { code, details, trailing } = await new Caller(port).call('x').outcome;
        expect([code, details]).toEqual([status.NOT_FOUND, 'gone']);
        expect(trailing.get('x-request-id')).toEqual(['r-1']);
        expect(trailing.get('retry-after')).toEqual(['1']);
      });

      it.each([
        ['several pieces', [Buffer.from('ab'), new Uint8Array([99]), Buffer.from('d')], 'abcd'],
        ['a view on larger bytes', [new Uint8Array(Buffer.from('xyz').buffer, Buffer.from('').byteOffset, 0)], ''],
        ['no piece', [], ''],
      ])('sends a message of %s', async (_what, pieces, expected) => {
        const front = echoFront();
        front.onComplete = ({ exit }) => exit.send(success(pieces));
        const { port } = await serve(front);
        expect((await new Caller(port).call('x').outcome).message!.toString()).toBe(expected);
      });

      it('sends any text as status message, encoded as the wire wants it', async () => {
        const text = 'Grüße, 100 % “sure”\r\n\u0000 日本 🙂';
        const front = echoFront();
        front.onComplete = ({ exit }) => exit.send(refusal(status.INVALID_ARGUMENT, `${text} \ud800`));
        const { port } = await serve(front);
        expect((await new Caller(port).call('x').outcome).details).toBe(`${text} \ufffd`);
        const raw = new RawCaller(port).begin();
        raw.stream.end(framed('x'));
        await raw.closed;
        expect(raw.fields['grpc-message']).toMatch(/^[!-~]+$/);
      });

      it('cuts a status message that clients would choke on', async () => {
        const front = echoFront();
        front.onComplete = ({ exit }) => exit.send(refusal(status.INVALID_ARGUMENT, 'é'.repeat(100_000)));
        const { port } = await serve(front);
        const { code, details } = await new Caller(port).call('x').outcome;
        expect(code).toBe(status.INVALID_ARGUMENT);
        expect(details.length).toBeLessThan(1_100);
      });

      it('lets only the first of two answers out', async () => {
        const front = echoFront();
        front.onComplete = ({ exit }) => {
          exit.send(success('first'));
          exit.send(refusal(status.INTERNAL, 'second'));
        };
        const { port } = await serve(front);
        const outcome = await new Caller(port).call('x').outcome;
        expect([outcome.code, outcome.message!.toString()]).toEqual([status.OK, 'first']);
      });

      it('cuts a call on reset, without a word to the front but the close', async () => {
        const front = echoFront();
        front.onComplete = ({ exit }) => exit.reset();
        const { port } = await serve(front);
        const call = new RawCaller(port).begin();
        call.stream.end(framed('x'));
        expect(await call.closed).toBe(constants.NGHTTP2_CANCEL);
        expect(call.status).toBe(-1);
        await front.heard('closed');
        expect(front.only.events).toEqual(['open', 'complete', 'closed']);
      });

      it('may be cut from inside open', async () => {
        const front = echoFront();
        front.wantsBody = false;
        front.onOpen = ({ exit }) => exit.reset();
        const { port } = await serve(front);
        expect(await new RawCaller(port).begin().closed).toBe(constants.NGHTTP2_CANCEL);
        await front.heard('closed');
        expect(front.only.events).toEqual(['open', 'closed']);
      });

      it('drops a client that takes nothing of its answer', async () => {
        const { front, port } = await serve(echoFront(), { writeStallMs: 30 });
        const call = new RawCaller(port, 0).begin();
        call.stream.end(framed('x'));
        expect(await call.closed).toBe(constants.NGHTTP2_CANCEL);
        await front.heard('closed');
        expect(front.only.events).toEqual(['open', 'complete', 'gone', 'closed']);
      });
    });

    describe('GrpcListener, clients that leave', () => {
      /** A front that never answers by itself. */
      function silentFront(): RecordingFront {
        const front = echoFront();
        front.onComplete = () => undefined;
        return front;
      }

      it('says so when a call is cancelled, and then closes', async () => {
        const { front, port } = await serve(silentFront());
        const { call, outcome } = new Caller(port).call('x');
        await front.heard('complete');
        call.cancel();
        await front.heard('closed');
        expect(front.only.events).toEqual(['open', 'complete', 'gone', 'closed']);
        expect((await outcome).code).toBe(status.CANCELLED);
      });

      it('says so when a reset comes before the message is whole, and makes no message of the part', async () => {
        const { front, port } = await serve();
        const client = new FrameCaller(port);
        client.headers(1, {
          ':method': 'POST',
          ':scheme': 'http',
          ':authority': 'test',
          ':path': PATH,
          'content-type': 'application/grpc',
        });
        client.data(1, framed('a whole message, but no end of the stream'));
        await front.heard('open');
        client.reset(1, constants.NGHTTP2_CANCEL);
        await front.heard('closed');
        expect(front.only.events).toEqual(['open', 'gone', 'closed']);
      });

      it('says so of every call on a connection that is lost', async () => {
        const { front, port } = await serve(silentFront());
        const caller = new RawCaller(port);
        for (let i = 0; i < 5; i++) caller.begin().stream.end(framed('x'));
        await front.heard('complete', 5);
        caller.session.destroy();
        await front.heard('closed', 5);
        for (const { events } of front.visits) expect(events).toEqual(['open', 'complete', 'gone', 'closed']);
      });

      it('takes an answer that comes too late without harm', async () => {
        const { front, port } = await serve(silentFront());
        const { call } = new Caller(port).call('x');
        await front.heard('complete');
        call.cancel();
        await front.heard('closed');
        const { exit, events } = front.only;
        exit.send(success('late'));
        exit.send(refusal(status.INTERNAL));
        exit.reset();
        front.onComplete = (visit) => visit.exit.send(success('well'));
        expect((await new Caller(port).call('y').outcome).message!.toString()).toBe('well');
        expect(events).toEqual(['open', 'complete', 'gone', 'closed']);
      });
    });

    describe('GrpcListener, draining', () => {
      function heldFront(): { front: RecordingFront; held: Visit[] } {
        const front = echoFront();
        const held: Visit[] = [];
        front.onComplete = (visit) => held.push(visit);
        return { front, held };
      }

      it('finishes calls in flight', async () => {
        const { front, held } = heldFront();
        const { door, port } = await serve(front);
        const { outcome } = new Caller(port).call('x');
        await front.heard('complete');
        const drained = door.drain(10_000);
        held[0]!.exit.send(success('still here'));
        expect((await outcome).message!.toString()).toBe('still here');
        await drained;
        expect(front.only.events).toEqual(['open', 'complete', 'closed']);
      });

      it('cuts what is left after the grace', async () => {
        const { front } = heldFront();
        const { door, port } = await serve(front);
        const { outcome } = new Caller(port).call('x');
        await front.heard('complete');
        await door.drain(20);
        expect((await outcome).code).not.toBe(status.OK);
        await front.heard('closed');
        expect(front.only.events).toEqual(['open', 'complete', 'gone', 'closed']);
      });

      it('does not wait for connections without calls', async () => {
        const { door, port } = await serve();
        const caller = new RawCaller(port);
        await new Promise((resolve) => caller.session.once('remoteSettings', resolve));
        await door.drain(60_000);
        await door.drain(60_000);
      });

      it('is done at once where nobody has called', async () => {
        await new GrpcListener(
          grpcListen.parse({ engine: engineUnderTest }),
          { maxBodyBytes: 1, bytes: new LocalByteBudget(1), tls: null, isReady: () => true },
          new RecordingFront(),
        ).drain({ graceMs: 60_000, idleMs: 0 });
      });
    });

    describe('GrpcListener, its transport', () => {
      it('serves over TLS', async () => {
        const tls = { cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE_KEY, clientCa: null };
        const { port } = await serve(echoFront(), {}, { tls });
        const credentials = ChannelCredentials.createSsl(TEST_CERTIFICATE);
        const named = { 'grpc.ssl_target_name_override': 'sluice.test' };
        expect((await new Caller(port, credentials, named).call('x').outcome).message!.toString()).toBe('x');
      });

      it('tells apart clients that shake hands at the same time, and counts each once', async () => {
        const tls = { cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE_KEY, clientCa: null };
        const { front, port } = await serve(echoFront(), { maxConnections: 8 }, { tls });
        const credentials = ChannelCredentials.createSsl(TEST_CERTIFICATE);
        const named = { 'grpc.ssl_target_name_override': 'sluice.test' };
        for (let round = 0; round < 3; round++) {
          const callers = Array.from({ length: 8 }, () => new Caller(port, credentials, named));
          const outcomes = await Promise.all(callers.map((caller, i) => caller.call(`${i}`).outcome));
          expect(outcomes.map(({ message }) => message?.toString())).toEqual(callers.map((_, i) => `${i}`));
          for (const caller of callers) caller.close();
          await front.heard('closed', 8 * (round + 1));
          await new Promise((resolve) => setImmediate(resolve));
        }
        expect(front.visits.every(({ head }) => head.remoteAddress === '127.0.0.1')).toBe(true);
      });

      it('lets no client that is halfway through its handshake outlive it', async () => {
        const tls = { cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE_KEY, clientCa: null };
        const { door, port } = await serve(echoFront(), {}, { tls });
        const socket = connectTcp(port, '127.0.0.1');
        const gone = new Promise((resolve) => socket.on('error', () => undefined).once('close', resolve));
        // The head of a record that goes on.
        await new Promise((resolve) => socket.write(Buffer.from('1603010200', 'hex'), resolve));
        await new Promise((resolve) => setTimeout(resolve, 20));
        // The package waits for it as for a call.
        await door.drain(engine === 'own' ? 60_000 : 50);
        await gone;
      });
    });

    describe('GrpcListener, what strangers may hold', () => {
      it('bounds the bytes of all messages that are not whole yet, and gives them back', async () => {
        const { port, front } = await serve(echoFront(), {}, { bytes: new LocalByteBudget(40_000) });
        const caller = new Caller(port);
        const refused = await caller.call(Buffer.alloc(60_000)).outcome;
        expect([refused.code, refused.details]).toEqual([status.UNAVAILABLE, 'OVERLOADED']);
        for (let i = 0; i < 5; i++) {
          const taken = await caller.call(Buffer.alloc(30_000)).outcome;
          expect([taken.code, taken.message?.length]).toEqual([status.OK, 30_000]);
        }
        expect(front.visits.length).toBe(6);
      });

      it('refuses connections beyond its cap', async () => {
        let refused = 0;
        const { port } = await serve(echoFront(), { maxConnections: 2 }, { onRefused: () => refused++ });
        const sockets: Socket[] = [];
        for (let i = 0; i < 3; i++) {
          const socket = connectTcp(port, '127.0.0.1');
          socket.on('error', () => {});
          sockets.push(socket);
          closers.push(() => socket.destroy());
          await new Promise<void>((done) => {
            // The server's own settings, or the end of a connection that is one too many.
            socket.once('data', () => done());
            socket.once('close', () => done());
          });
        }
        expect([sockets.map((socket) => socket.destroyed), refused]).toEqual([[false, false, true], 1]);
      });
    });
  });
}
