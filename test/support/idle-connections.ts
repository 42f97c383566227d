import { connect, type Socket } from 'node:net';
import type { Face } from './fault-scene.ts';

/** What a client says first over HTTP/2: the preface, its settings (none), and that it has heard the server's. */
const HELLO = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]);
const SETTINGS_ACK = Buffer.from([0, 0, 0, 4, 1, 0, 0, 0, 0]);

/** A connection that stands and asks nothing; over gRPC both sides have said hello. One that is closed instead counts as well. */
function openOne(face: Face, port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const done = (): void => resolve(socket);
    socket.on('error', () => undefined);
    socket.once('close', done);
    if (face === 'rest') {
      socket.once('connect', done);
      return;
    }
    socket.write(HELLO);
    socket.once('data', () => {
      socket.write(SETTINGS_ACK);
      done();
    });
  });
}

/** So many of them, some hundred at a time. */
export async function openIdle(face: Face, port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(250, count - sockets.length) }, () => openOne(face, port));
    sockets.push(...(await Promise.all(batch)));
  }
  return sockets;
}

const ping = (flags: number): string => String.fromCharCode(0, 0, 8, 6, flags, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8);
const ACK = 1;

/** What shows that a connection of this face is served, and what is among the answer. */
export const SIGN_OF_LIFE: Readonly<Record<Face, readonly [question: string, answer: string]>> = {
  rest: ['GET /v2/health/live HTTP/1.1\r\nHost: gate\r\n\r\n', 'HTTP/1.1 200'],
  grpc: [ping(0), ping(ACK)],
};
