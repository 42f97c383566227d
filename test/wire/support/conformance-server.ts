/** The "server under test" of connectrpc/conformance on our server: its service, as far as our interfaces let it be. */

import { createServer } from 'node:net';
import { grpcListen } from '../../../src/config/listen-schema.ts';
import { openGrpcServer } from '../../../src/wire/grpc/open-server.ts';
import type { StreamExchange, StreamOwner } from '../../../src/wire/grpc/stream-exchange.ts';
import type { ExchangeOwner, UnaryExchange } from '../../../src/wire/grpc/unary-exchange.ts';
import { anyOf, decode, encode, pairsOf, type Request, readMessages, writeMessage } from './conformance-messages.ts';

interface Order {
  readonly useTls: boolean;
  readonly messageReceiveLimit: number;
  readonly serverCreds: { readonly cert: Uint8Array; readonly key: Uint8Array } | null;
  readonly clientTlsCert: Uint8Array;
}

const SERVICE = '/connectrpc.conformance.v1.ConformanceService/';
const STREAMS = ['ServerStream', 'ClientStream', 'BidiStream'];
const UNLIMITED = 64_000_000;
const DEADLINE_EXCEEDED = 4;
const UNIMPLEMENTED = 12;
const ORPHAN_LOOK_MS = 1_000;
/** A call here is asked for a header by its name: those that the suites send. */
const HEADERS = ['x-conformance-test', 'x-test-case-name', 'x-multi-value', 'x-custom-header'];

readMessages(
  (bytes) => listen(decode<Order>('ServerCompatRequest', bytes)),
  () => undefined,
);
process.on('SIGTERM', () => process.exit(0));
// Standard input ends long before the tests do, so that it does not tell when whoever runs them is gone.
const { ppid } = process;
setInterval(() => {
  if (process.ppid !== ppid) process.exit(0);
}, ORPHAN_LOOK_MS).unref();

function listen({ useTls, messageReceiveLimit, serverCreds, clientTlsCert }: Order): void {
  const clientCa = clientTlsCert.length === 0 ? null : Buffer.from(clientTlsCert);
  const tls = useTls ? { cert: Buffer.from(serverCreds!.cert), key: Buffer.from(serverCreds!.key), clientCa } : null;
  const server = openGrpcServer(
    'own',
    {
      ...grpcListen.parse({ engine: 'own' }),
      tls,
      maxMessageBytes: messageReceiveLimit || UNLIMITED,
      hasRoom: () => true,
      onRefused: () => undefined,
    },
    { unary, stream, streams: new Set(STREAMS.map((name) => SERVICE + name)) },
  );
  const door = createServer({ noDelay: true }, (socket) => server.adopt(socket));
  door.listen(0, '127.0.0.1', () => {
    const { port } = door.address() as { port: number };
    writeMessage(encode('ServerCompatResponse', { host: '127.0.0.1', port, pemCert: tls?.cert ?? Buffer.alloc(0) }));
  });
}

/** What of a call is given back to whoever asks. */
function infoOf(exchange: UnaryExchange | StreamExchange, type: string, requests: readonly Buffer[], isFirst: boolean): object {
  const sent = HEADERS.map((name) => ({ name, value: exchange.header(name) })).filter(({ value }) => value !== '');
  const requestHeaders = isFirst ? sent.map(({ name, value }) => ({ name, value: value.split(', ') })) : [];
  const timeoutMs = isFirst && exchange.timeoutMs > 0 ? { timeoutMs: exchange.timeoutMs } : {};
  return { requestHeaders, ...timeoutMs, requests: requests.map((one) => anyOf(type, one)) };
}

function unary(exchange: UnaryExchange): ExchangeOwner {
  const method = exchange.path.slice(SERVICE.length);
  const isKnown = exchange.path === `${SERVICE}Unary` || exchange.path === `${SERVICE}IdempotentUnary`;
  let timer: NodeJS.Timeout | undefined;
  if (isKnown) exchange.read();
  else exchange.refuse(UNIMPLEMENTED, 'There is no such method.', []);
  const deadline =
    exchange.timeoutMs === 0 ? undefined : setTimeout(() => exchange.refuse(DEADLINE_EXCEEDED, 'late', []), exchange.timeoutMs);
  return {
    received: (message) => {
      const { responseDefinition: of } = decode<Request>(`${method}Request`, message);
      timer = setTimeout(() => {
        const error = of?.error ?? null;
        const headers = pairsOf(of?.responseHeaders ?? []);
        // Our interface has no trailers behind the answer of a unary call.
        if (error !== null)
          exchange.refuse(error.code, error.message ?? '', [...headers, ...pairsOf(of?.responseTrailers ?? [])]);
        else {
          const payload = {
            data: of?.responseData ?? Buffer.alloc(0),
            requestInfo: infoOf(exchange, `${method}Request`, [message], true),
          };
          exchange.answer(headers, [encode(`${method}Response`, { payload })]);
        }
      }, of?.responseDelayMs ?? 0);
    },
    spoiled: (status, text) => {
      if (status === 0) exchange.refuse(UNIMPLEMENTED, text, []);
    },
    left: () => undefined,
    closed: () => {
      clearTimeout(timer);
      clearTimeout(deadline);
    },
  };
}

function stream(exchange: StreamExchange): StreamOwner {
  const method = exchange.path.slice(SERVICE.length);
  const call = new StreamUnderTest(exchange, method);
  exchange.read();
  return call;
}

/** A call of one of the three methods that have many messages in one direction or in both. */
class StreamUnderTest implements StreamOwner {
  readonly #exchange: StreamExchange;
  readonly #method: string;
  readonly #deadline: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;
  #first: Request | null = null;
  #requests: Buffer[] = [];
  #sent = 0;
  #over = false;

  constructor(exchange: StreamExchange, method: string) {
    this.#exchange = exchange;
    this.#method = method;
    if (exchange.timeoutMs > 0) this.#deadline = setTimeout(() => this.#end(DEADLINE_EXCEEDED, 'late'), exchange.timeoutMs);
  }

  received(message: Buffer): void {
    this.#requests.push(message);
    this.#first ??= decode<Request>(`${this.#method}Request`, message);
    if (this.#method === 'ServerStream' && this.#requests.length > 1) {
      this.#end(UNIMPLEMENTED, 'A second message came, expected one.');
      return;
    }
    if (this.#first.fullDuplex !== true) this.#exchange.read();
    else if (this.#sent < this.#data.length) this.#later(() => this.#send(() => this.#exchange.read()));
    else this.#finish();
  }

  finished(): void {
    if (this.#over) return;
    if (this.#method === 'ServerStream' && this.#first === null) this.#end(UNIMPLEMENTED, 'No message came, expected one.');
    else if (this.#method === 'ClientStream') this.#later(() => this.#answerOnce());
    else this.#sendRest();
  }

  arriving(): void {}
  spoiled(): void {}
  left(): void {}

  closed(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#deadline);
  }

  get #data(): readonly Uint8Array[] {
    return (this.#first?.responseDefinition?.responseData ?? []) as readonly Uint8Array[];
  }

  #later(act: () => void): void {
    // Whoever waits for the head of the answer has it before the first delay.
    if (this.#method !== 'ClientStream') this.#exchange.open();
    this.#timer = setTimeout(() => {
      if (!this.#over) act();
    }, this.#first?.responseDefinition?.responseDelayMs ?? 0);
  }

  #sendRest(): void {
    if (this.#sent >= this.#data.length) this.#finish();
    else this.#later(() => this.#send(() => this.#sendRest()));
  }

  #send(then: () => void): void {
    const isFirst = this.#sent === 0;
    const info = infoOf(this.#exchange, `${this.#method}Request`, this.#requests, isFirst);
    const hasInfo = isFirst || this.#first?.fullDuplex === true;
    if (hasInfo) this.#requests = [];
    const payload = { data: this.#data[this.#sent++]!, ...(hasInfo ? { requestInfo: info } : {}) };
    this.#exchange.write([encode(`${this.#method}Response`, { payload })], then);
  }

  #answerOnce(): void {
    const definition = this.#first?.responseDefinition ?? null;
    if (definition?.error != null) {
      this.#finish();
      return;
    }
    const requestInfo = infoOf(this.#exchange, 'ClientStreamRequest', this.#requests, true);
    const payload = { data: definition?.responseData ?? Buffer.alloc(0), requestInfo };
    this.#exchange.open();
    this.#exchange.write([encode('ClientStreamResponse', { payload })], () => this.#finish());
  }

  #finish(): void {
    const error = this.#first?.responseDefinition?.error ?? null;
    this.#end(error?.code ?? 0, error?.message ?? '');
  }

  #end(code: number, message: string): void {
    if (this.#over) return;
    this.#over = true;
    const definition = this.#first?.responseDefinition;
    // Our interface opens a stream without headers.
    this.#exchange.end(code, message, pairsOf(definition?.responseTrailers ?? []));
  }
}
