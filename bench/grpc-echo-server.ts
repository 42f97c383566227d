/** The gRPC server of one engine, alone: answers each call with its own message and counts it. For measuring what the wire costs. */

import { createServer, type Socket } from 'node:net';
import { grpcListen } from '../src/config/listen-schema.ts';
import type { GrpcAcceptors } from '../src/wire/grpc/grpc-server.ts';
import { openGrpcServer } from '../src/wire/grpc/open-server.ts';
import type { UnaryExchange } from '../src/wire/grpc/unary-exchange.ts';
import { serveAsCompanion } from './companion-side.ts';

const MAX_MESSAGE_BYTES = 1_048_576;
const HEADERS = ['x-request-id', '0192f0c1-7b5a-7c3e-9d7e-5a1b2c3d4e5f', 'x-sluice-variant', 'stable', 'x-sluice-cache', 'miss'];

let answered = 0;

/** Reads of a call what a gateway reads, and gives its message back. */
class Echo {
  readonly #exchange: UnaryExchange;

  constructor(exchange: UnaryExchange) {
    this.#exchange = exchange;
    if (exchange.header('authorization') === '') throw new Error('A call came without its credential.');
    exchange.header('x-request-id');
    exchange.header('traceparent');
    exchange.read();
  }

  received(message: Buffer): void {
    answered++;
    this.#exchange.answer(HEADERS, [message]);
  }

  spoiled(status: number, text: string): void {
    this.#exchange.refuse(status, text, []);
  }

  left(): void {}

  closed(): void {}
}

const acceptors: GrpcAcceptors = {
  unary: (exchange) => new Echo(exchange),
  stream: () => {
    throw new Error('A stream was begun; expected unary calls alone.');
  },
  streams: new Set(),
};

serveAsCompanion(
  ({ engine }) => {
    const config = grpcListen.parse({ engine });
    const options = { ...config, tls: null, maxMessageBytes: MAX_MESSAGE_BYTES, hasRoom: () => true, onRefused: () => undefined };
    const server = openGrpcServer(config.engine, options, acceptors);
    const door = createServer({ noDelay: true }, (socket: Socket) => server.adopt(socket));
    return new Promise((resolve) => {
      door.listen(0, '127.0.0.1', () => {
        const address = door.address();
        resolve(address !== null && typeof address === 'object' ? address.port : 0);
      });
    });
  },
  () => answered,
);
