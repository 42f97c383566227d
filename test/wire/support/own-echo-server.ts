import { type AddressInfo, createServer } from 'node:net';
import { grpcListen } from '../../../src/config/listen-schema.ts';
import type { GrpcAcceptors } from '../../../src/wire/grpc/grpc-server.ts';
import { openGrpcServer } from '../../../src/wire/grpc/open-server.ts';
import { MAX_MESSAGE_BYTES, PATHS } from './echo-paths.ts';

export interface EchoServer {
  readonly port: number;
  /** Calls that have begun and not closed. */
  open(): number;
  close(): Promise<void>;
}

/** The server of our own, in this process, which does what echo-paths.ts says. */
export async function startOwnEchoServer(): Promise<EchoServer> {
  const calls = { open: 0 };
  const options = {
    ...grpcListen.parse({ engine: 'own', maxConcurrentStreams: 100 }),
    tls: null,
    maxMessageBytes: MAX_MESSAGE_BYTES,
    hasRoom: () => true,
    onRefused: () => undefined,
  };
  const server = openGrpcServer('own', options, acceptors(calls));
  const door = createServer({ noDelay: true }, (socket) => server.adopt(socket));
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
  return {
    port: (door.address() as AddressInfo).port,
    open: () => calls.open,
    close: async () => {
      door.close();
      await server.drain(0);
    },
  };
}

function acceptors(calls: { open: number }): GrpcAcceptors {
  return {
    streams: new Set([PATHS.stream]),
    unary: (exchange) => {
      calls.open++;
      const mark = ['x-mark', exchange.header('x-mark')];
      if (exchange.path === PATHS.refuse) exchange.refuse(7, 'no', mark);
      else exchange.read();
      return {
        received: (message) => {
          if (exchange.path !== PATHS.never) exchange.answer(mark, [message]);
        },
        spoiled: (_status, text) => exchange.refuse(3, text, []),
        left: () => undefined,
        closed: () => calls.open--,
      };
    },
    stream: (exchange) => {
      calls.open++;
      const mark = ['x-mark', exchange.header('x-mark')];
      exchange.open();
      exchange.read();
      return {
        received: (message) => {
          exchange.write([message], () => undefined);
          exchange.read();
        },
        arriving: () => undefined,
        finished: () => exchange.end(0, '', mark),
        spoiled: () => undefined,
        left: () => undefined,
        closed: () => calls.open--,
      };
    },
  };
}
