import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';

/** Programs of the peers: where they are installed, and processes of them that serve. */

export const PEERS = resolve(import.meta.dirname, '..');
const INSTALLED = resolve(PEERS, '../../.peers');
const START_LIMIT_MS = 60_000;
/** Enough of a log to explain a failure. */
const MAX_OUTPUT_CHARS = 200_000;

export const installed = (...path: string[]): string => join(INSTALLED, ...path);

interface PeerProcess {
  /** SIGKILL, and gone when it resolves: a server of theirs may take half a minute to end by itself. */
  kill(): Promise<void>;
}

/** A server of a peer, as tests handle it. */
export interface PeerServer {
  readonly httpUrl: string;
  readonly grpcAddress: string;
  kill(): Promise<void>;
  /** On the same ports again. */
  restart(): Promise<void>;
  /** Kills it and removes its files. */
  remove(): Promise<void>;
}

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Answers 200 once it serves. */
  readonly readyUrl: string;
}

/** Keeps a server of a peer that can die and come back. `sweep` removes what it left, once it is gone for good. */
export async function keepPeer(launch: Launch, grpcPort: number, sweep: () => void): Promise<PeerServer> {
  let server = await startPeer(launch);
  return {
    httpUrl: new URL(launch.readyUrl).origin,
    grpcAddress: `127.0.0.1:${grpcPort}`,
    kill: () => server.kill(),
    restart: async () => {
      server = await startPeer(launch);
    },
    remove: async () => {
      await server.kill();
      sweep();
    },
  };
}

/** Starts a server of a peer and waits until it serves. */
async function startPeer(launch: Launch): Promise<PeerProcess> {
  // A group of its own, so that the workers it starts end with it.
  const child = spawn(launch.command, launch.args, { env: { ...process.env, ...launch.env }, detached: true });
  let output = '';
  const keep = (chunk: Buffer): void => {
    if (output.length < MAX_OUTPUT_CHARS) output += chunk.toString();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  let ended = false;
  const gone = new Promise<void>((done) => {
    child.on('error', (error) => {
      output += String(error);
      ended = true;
      done();
    });
    child.on('close', () => {
      ended = true;
      done();
    });
  });
  const kill = (): Promise<void> => {
    if (!ended && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    return gone;
  };
  const limit = Date.now() + START_LIMIT_MS;
  while (!(await answers(launch.readyUrl))) {
    const late = Date.now() > limit;
    if (late) await kill();
    if (ended) throw new Error(`${launch.command} ${late ? 'did not serve in time' : 'ended'}:\n${output}`);
    await new Promise((done) => setTimeout(done, 100));
  }
  return { kill };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}

/** Ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise((done) => (server.listening ? done(null) : server.once('listening', done)));
    const address = server.address();
    if (address !== null && typeof address === 'object') ports.push(address.port);
  }
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}
