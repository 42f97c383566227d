/** nginx as a backend that gives fixed answers for next to nothing, and as the peer that merely passes a call on; its configs are beside this file. */

import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const START_LIMIT_MS = 5_000;
const LOOK_MS = 50;
const SAID_CHARS = 2_000;

export interface Nginx {
  readonly port: number;
  /** The one process that serves. */
  readonly workerPid: number;
  stop(): void;
}

/** Answers gRPC on its port and HTTP/1.1 on the other. */
export interface FixedBackend extends Nginx {
  readonly httpPort: number;
  /** Requests answered so far, on both ports. */
  count(): Promise<number>;
}

/** Answers by path, as they go over the wire; whatever else is asked is 404. */
export async function startFixedBackend(
  answers: ReadonlyMap<string, Uint8Array>,
  launcher: readonly string[],
): Promise<FixedBackend> {
  const dir = newDir();
  for (const [path, answer] of answers) {
    const file = join(dir, 'files', path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, answer);
  }
  const httpPort = await freePort();
  const nginx = await start(launcher, dir, 'fixed-backend', { otherPort: httpPort });
  return { ...nginx, httpPort, count: () => countOf(httpPort) };
}

/** Passes on what it gets: `grpc-pass` by gRPC, `http-proxy` by HTTP/1.1. */
export function startPeer(config: 'grpc-pass' | 'http-proxy', backendPort: number, launcher: readonly string[]): Promise<Nginx> {
  return start(launcher, newDir(), config, { backendPort });
}

async function start(
  launcher: readonly string[],
  dir: string,
  config: string,
  ports: Readonly<Record<string, number>>,
): Promise<Nginx> {
  const port = await freePort();
  const values = { dir, port: String(port), ...ports };
  const servers = filled(readConfig(config), values);
  writeFileSync(join(dir, 'nginx.conf'), filled(readConfig('frame'), { ...values, servers }));
  const [command, ...args] = [...launcher, 'nginx', '-p', dir, '-c', join(dir, 'nginx.conf')];
  const master = spawn(command!, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  master.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-SAID_CHARS);
  });
  // That it has started no worker says it all.
  master.once('error', () => undefined);
  const stop = (): void => {
    process.off('exit', stop);
    master.kill('SIGTERM');
    rmSync(dir, { recursive: true, force: true });
  };
  process.once('exit', stop);
  return { port, workerPid: await workerOf(master, () => said), stop };
}

/** Its worker is another user where it was started by root, and has to read there. */
function newDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-nginx-'));
  chmodSync(dir, 0o755);
  return dir;
}

const readConfig = (name: string): string => readFileSync(new URL(`./nginx/${name}.conf`, import.meta.url), 'utf8');

/** What is in braces is ours; nginx has variables of its own without them. */
function filled(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\$\{(\w+)\}/g, (_, name: string) => String(values[name]));
}

async function workerOf(master: ChildProcess, said: () => string): Promise<number> {
  const untilMs = Date.now() + START_LIMIT_MS;
  while (Date.now() < untilMs && master.exitCode === null) {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
      if (parentOf(pid) === master.pid) return Number(pid);
    await new Promise((done) => setTimeout(done, LOOK_MS));
  }
  throw new Error(`nginx has started no worker; scripts/install-bench-peers.sh installs it. ${said()}`);
}

function parentOf(pid: string): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    // It has ended meanwhile.
    return -1;
  }
}

async function countOf(port: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/count`, { signal: AbortSignal.timeout(START_LIMIT_MS) });
  const text = await response.text();
  // "server accepts handled requests", and the three numbers below.
  const requests = /requests\s+\d+ \d+ (\d+)/.exec(text)?.[1];
  if (requests === undefined) throw new Error(`nginx counts "${text}"; expected the text of stub_status.`);
  return Number(requests);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { readonly port: number };
      probe.close(() => resolve(port));
    });
  });
}
