import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { http2Backend } from '../../../src/config/http2-schema.ts';
import type { GrpcChannel } from '../../../src/wire/grpc/grpc-channel.ts';
import { openGrpcChannel } from '../../../src/wire/grpc/open-channel.ts';
import { type Pair, settled } from './duel.ts';
import { NodeGrpcClient } from './node-grpc-client.ts';
import { Overheard } from './overheard.ts';

/** A server that says the same to two clients, which have asked the same. */

export interface PlannedCall {
  readonly question: Buffer;
  readonly isStream: boolean;
}

export const MAX_ANSWER_BYTES = 20_000;
const PATH = '/t.T/Call';

interface Line {
  readonly heard: Overheard;
  readonly port: number;
  readonly server: Server;
  socket: Socket | null;
}

export async function pairOfClients(greeting: Buffer, calls: readonly PlannedCall[], turns: number): Promise<Pair> {
  const [own, node] = await Promise.all([listen(greeting), listen(greeting)]);
  const address = `127.0.0.1:${own.port}`;
  const channel = openGrpcChannel('own', {
    address,
    ip: '',
    tls: null,
    maxMessageBytes: MAX_ANSWER_BYTES,
    // A table as node:http2 has it.
    http2: http2Backend.parse({ headerTableBytes: 4_096 }),
    connectTimeoutMs: 10_000,
  });
  const other = new NodeGrpcClient(node.port);
  const told = calls.map((call) => ask(channel, call));
  // Ours asks nothing before it knows the server's SETTINGS.
  await new Promise((resolve) => other.session.once('remoteSettings', resolve));
  for (const { question, isStream } of calls) other.call(PATH, question, isStream, MAX_ANSWER_BYTES);
  while (own.heard.settingsAcks === 0 || node.heard.settingsAcks === 0) await settled(1);
  await settled(turns);
  return {
    own: own.heard,
    node: node.heard,
    greeting,
    tell: (bytes) => {
      for (const { socket, heard } of [own, node]) if (!heard.closed) socket!.write(bytes);
    },
    calls: () => told.map((one, i) => ({ streamId: i * 2 + 1, own: one.join('; '), node: other.calls[i]!.told.join('; ') })),
    close: () => {
      channel.close();
      other.session.destroy();
      for (const { socket, server } of [own, node]) {
        socket!.destroy();
        server.close();
      }
    },
  };
}

/** Takes one connection, and lets others wait for ever: a client that dials again is not what is looked at. */
async function listen(greeting: Buffer): Promise<Line> {
  const heard = new Overheard('client');
  let line: Line | null = null;
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    if (line === null || line.socket !== null) {
      socket.destroy();
      return;
    }
    line.socket = socket;
    socket.on('data', (chunk: Buffer) => heard.read(chunk));
    const close = (): void => {
      heard.closed = true;
    };
    socket.on('end', close);
    socket.on('close', close);
    socket.write(greeting);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  line = { heard, port: (server.address() as AddressInfo).port, server, socket: null };
  return line;
}

/** What our client tells of a call, in the words of NodeCall. */
function ask(channel: GrpcChannel, { question, isStream }: PlannedCall): string[] {
  const told: string[] = [];
  const options = { headers: [], timeoutMs: 600_000 };
  if (isStream) {
    const answers = channel.streamed(PATH, question, options, {
      onMessage: (message) => {
        told.push(`message ${message.toString('hex')}`);
        answers.read();
      },
      onEnd: (status) => told.push(`status ${status}`),
    });
  } else {
    channel.unary(PATH, question, options, {
      onAnswer: (message) => told.push(`message ${message.toString('hex')}`, 'status 0'),
      onStatus: (status) => told.push(`status ${status}`),
    });
  }
  return told;
}
