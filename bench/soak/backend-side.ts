/** A model server of the soak, in a process of its own: answers right, now and then late or not at all, and breaks off when it is told to. */

import { createServer, type Socket } from 'node:net';
import { grpcListen } from '../../src/config/listen-schema.ts';
import type { GrpcAcceptors, GrpcServer } from '../../src/wire/grpc/grpc-server.ts';
import { openGrpcServer } from '../../src/wire/grpc/open-server.ts';
import type { StreamExchange, StreamOwner } from '../../src/wire/grpc/stream-exchange.ts';
import type { ExchangeOwner, UnaryExchange } from '../../src/wire/grpc/unary-exchange.ts';
import type { BackendOrder } from './backend-process.ts';
import { describe, marked, PARTS, readQuestion, STREAM_INFER, writeAnswer, writePart } from './messages.ts';

const UNAVAILABLE = 14;
const UNIMPLEMENTED = 12;
const STALL_MS = 400;
const GRACE_MS = 500;
/** Of a hundred calls so many are cut off, refused, left without an answer, or answered late. */
const [CUT, REFUSED, LATE] = [1, 2, 12];
const MOST_LATE_MS = 40;
/** One of so many calls is never answered. */
const NEVER = 400;

const [, , engine, port, mood] = process.argv;
const config = grpcListen.parse({
  engine,
  http2: { streamWindowBytes: 16_384, resetsPerSecond: 100_000 },
  maxConcurrentStreams: 48,
});
const sockets = new Set<Socket>();
let open = 0;

/** How the next call is treated. */
function treat(exchange: UnaryExchange | StreamExchange, answer: () => void): void {
  if (mood === 'calm') {
    answer();
    return;
  }
  if (Math.random() * NEVER < 1) return;
  const share = Math.random() * 100;
  if (share < CUT) exchange.cut();
  else if (share >= LATE) answer();
  else if (share >= REFUSED) setTimeout(answer, Math.random() * MOST_LATE_MS);
  else if ('refuse' in exchange) exchange.refuse(UNAVAILABLE, 'not now', []);
  else exchange.end(UNAVAILABLE, 'not now', []);
}

function unary(exchange: UnaryExchange): ExchangeOwner {
  open++;
  let over = false;
  const { path } = exchange;
  exchange.read();
  return {
    received: (message) => {
      const description = path.endsWith('/ModelInfer') ? null : describe(path, message);
      if (description !== null) exchange.answer([], [description]);
      else if (!path.endsWith('/ModelInfer')) exchange.refuse(UNIMPLEMENTED, 'not here', []);
      else {
        const question = readQuestion(message);
        treat(exchange, () => {
          if (!over) exchange.answer([], [writeAnswer(question, question.data)]);
        });
      }
    },
    spoiled: () => undefined,
    left: () => (over = true),
    closed: () => {
      over = true;
      open--;
    },
  };
}

/** One question: its mark, how many answers, and how many words each has. */
function stream(exchange: StreamExchange): StreamOwner {
  open++;
  let over = false;
  exchange.open();
  exchange.read();
  const answer = (bytes: Buffer): void => {
    const question = readQuestion(bytes);
    const mark = question.data.readInt32LE(0);
    const count = question.model === PARTS ? question.data.readInt32LE(4) : 0;
    const words = question.data.readInt32LE(8);
    let index = 0;
    const next = (): void => {
      if (over) return;
      if (index === count) {
        exchange.write([writePart(question, null)], () => exchange.end(0, '', []));
        return;
      }
      const data = marked(mark, words);
      data.writeInt32LE(index++, 4);
      exchange.write([writePart(question, data)], next);
    };
    next();
  };
  return {
    received: (message) => treat(exchange, () => answer(message)),
    arriving: () => undefined,
    finished: () => undefined,
    spoiled: () => undefined,
    left: () => (over = true),
    closed: () => {
      over = true;
      open--;
    },
  };
}

const acceptors: GrpcAcceptors = { unary, stream, streams: new Set([STREAM_INFER]) };
const openServer = (): GrpcServer =>
  openGrpcServer(
    config.engine,
    { ...config, tls: null, maxMessageBytes: 16_777_216, hasRoom: () => true, onRefused: () => undefined },
    acceptors,
  );

let server = openServer();
const door = createServer({ noDelay: true }, (socket) => {
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
  server.adopt(socket);
});

process.on('disconnect', () => process.exit(0));
process.on('message', (order: BackendOrder) => {
  if (order === 'open') process.send!({ open });
  else if (order === 'cut') for (const socket of sockets) socket.resetAndDestroy();
  else if (order === 'stall') stall();
  else {
    // GOAWAY for all who are connected; whoever comes from now on is another server's.
    void server.drain(GRACE_MS);
    server = openServer();
  }
});
door.listen(Number(port), '127.0.0.1', () => {
  const address = door.address();
  process.send!({ port: address !== null && typeof address === 'object' ? address.port : 0 });
});

/** Takes no bytes for a while. */
function stall(): void {
  const stalled = [...sockets];
  for (const socket of stalled) socket.pause();
  setTimeout(() => {
    for (const socket of stalled) socket.resume();
  }, STALL_MS);
}
