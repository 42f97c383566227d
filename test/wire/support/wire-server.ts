/** The gRPC server alone, in a process of its own: echoes on an engine of its first argument, and says its port. */

import { createServer, type Socket } from 'node:net';
import { grpcListen } from '../../../src/config/listen-schema.ts';
import type { GrpcAcceptors } from '../../../src/wire/grpc/grpc-server.ts';
import { openGrpcServer } from '../../../src/wire/grpc/open-server.ts';
import { TEST_CERTIFICATE, TEST_CERTIFICATE_KEY } from '../../support/test-certificate.ts';

const [, , engine, secure] = process.argv;
const config = grpcListen.parse({ engine });
/** Calls begun and not closed. */
let open = 0;

const acceptors: GrpcAcceptors = {
  streams: new Set(['/test.Wire/Stream']),
  unary: (exchange) => {
    open++;
    const { path } = exchange;
    if (path === '/test.Wire/Refuse') exchange.refuse(7, 'Nein, «nie» 🙂', ['x-mark', exchange.header('x-mark')]);
    else exchange.read();
    return {
      received: (message) => {
        if (path === '/test.Wire/Echo') exchange.answer(['x-mark', exchange.header('x-mark')], [message]);
      },
      spoiled: (_status, text) => exchange.refuse(3, text, []),
      left: () => undefined,
      closed: () => open--,
    };
  },
  stream: (exchange) => {
    open++;
    let unwritten = 0;
    let finished = false;
    const end = (): void => {
      if (finished && unwritten === 0) exchange.end(0, '', ['x-mark', exchange.header('x-mark')]);
    };
    exchange.open();
    exchange.read();
    return {
      received: (message) => {
        unwritten++;
        exchange.write([message], () => {
          unwritten--;
          exchange.read();
          end();
        });
      },
      arriving: () => undefined,
      finished: () => {
        finished = true;
        end();
      },
      spoiled: () => undefined,
      left: () => undefined,
      closed: () => open--,
    };
  },
};

const server = openGrpcServer(
  config.engine,
  {
    ...config,
    tls: secure === 'tls' ? { cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE_KEY, clientCa: null } : null,
    maxMessageBytes: 16_777_216,
    hasRoom: () => true,
    onRefused: () => undefined,
  },
  acceptors,
);
const door = createServer({ noDelay: true }, (socket: Socket) => server.adopt(socket));
door.listen(0, '127.0.0.1', () => {
  const address = door.address();
  if (address !== null && typeof address === 'object') process.send!({ port: address.port });
});
process.on('message', (asked) => {
  if (asked === 'open') process.send!({ open });
  if (asked === 'cpu') process.send!(process.cpuUsage());
});
process.on('disconnect', () => process.exit(0));
