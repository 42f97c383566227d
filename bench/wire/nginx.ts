/** nginx as a gRPC backend that gives fixed answers for next to nothing, and as the peer that merely passes a call on. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const START_LIMIT_MS = 5_000;
const LOOK_MS = 50;
/** Neither side closes a connection for having been used often. */
const ENDLESS = 1_000_000_000;

export interface Nginx {
  readonly port: number;
  /** The one process that serves. */
  readonly workerPid: number;
  stop(): void;
}

/** Answers by path, each one framed message; whatever else is asked is 404. */
export function startFixedBackend(answers: ReadonlyMap<string, Uint8Array>, launcher: readonly string[]): Promise<Nginx> {
  return start(launcher, (dir, port) => {
    for (const [path, message] of answers) {
      const file = join(dir, 'files', path);
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, message);
    }
    // A file answers no POST, so the error page that is the file itself does; gRPC wants its status behind the body.
    return `server {
      listen 127.0.0.1:${port} http2;
      root ${join(dir, 'files')};
      default_type application/grpc;
      open_file_cache max=16;
      error_page 405 =200 $uri;
      add_trailer grpc-status 0 always;
    }`;
  });
}

/** `grpc_pass`, with connections to the backend kept. */
export function startPassingPeer(backendPort: number, launcher: readonly string[]): Promise<Nginx> {
  return start(
    launcher,
    (_dir, port) => `upstream backend { server 127.0.0.1:${backendPort}; keepalive 256; keepalive_requests ${ENDLESS}; }
    server { listen 127.0.0.1:${port} http2; location / { grpc_pass grpc://backend; } }`,
  );
}

async function start(launcher: readonly string[], serverOf: (dir: string, port: number) => string): Promise<Nginx> {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-nginx-'));
  const port = await freePort();
  const config = `daemon off; worker_processes 1; pid ${join(dir, 'pid')}; error_log stderr crit;
  events { worker_connections 8192; }
  http {
    access_log off; client_body_temp_path ${dir}; proxy_temp_path ${dir}; fastcgi_temp_path ${dir};
    uwsgi_temp_path ${dir}; scgi_temp_path ${dir};
    keepalive_requests ${ENDLESS}; keepalive_timeout 1h; http2_max_concurrent_streams 512; client_body_buffer_size 64k;
    ${serverOf(dir, port)}
  }`;
  writeFileSync(join(dir, 'nginx.conf'), config);
  const [command, ...args] = [...launcher, 'nginx', '-p', dir, '-c', join(dir, 'nginx.conf')];
  const master = spawn(command!, args, { stdio: 'ignore' });
  const stop = (): void => {
    master.kill('SIGTERM');
    rmSync(dir, { recursive: true, force: true });
  };
  process.once('exit', stop);
  return { port, workerPid: await workerOf(master), stop };
}

async function workerOf(master: ChildProcess): Promise<number> {
  const untilMs = Date.now() + START_LIMIT_MS;
  while (Date.now() < untilMs && master.exitCode === null) {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
      if (parentOf(pid) === master.pid) return Number(pid);
    await new Promise((done) => setTimeout(done, LOOK_MS));
  }
  throw new Error('nginx has started no worker; scripts/install-bench-peers.sh installs it.');
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

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { readonly port: number };
      probe.close(() => resolve(port));
    });
  });
}
