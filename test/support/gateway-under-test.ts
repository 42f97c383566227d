import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseDocument, stringify, visit } from 'yaml';
import type { WorkerView } from '../../src/core/control-plane.ts';

/** A real gateway process on free ports, started from a config object, as a user would start it. */
export interface GatewayUnderTest {
  readonly httpUrl: string;
  readonly httpPort: number;
  readonly grpcAddress: string;
  readonly adminUrl: string;
  readonly adminToken: string;
  /** API keys by tenant. */
  readonly keys: Readonly<Record<string, string>>;
  readonly process: ChildProcess;
  readonly dir: string;
  /** Everything the process has written so far. */
  output(): string;
  /** Writes another config in the place of the first; ports stay. */
  rewrite(config: Readonly<Record<string, unknown>>): void;
  /** Sends SIGTERM and resolves with the exit code. */
  stop(): Promise<number | null>;
}

const ROOT = resolve(import.meta.dirname, '../..');
const NODE = process.execPath;
/** Fivefold of what a start takes on a slow shared machine. */
const START_LIMIT_MS = 40_000;

/** Sources are compiled once, and not for each of the many processes that these tests start. */
const COMPILE_CACHE = join(tmpdir(), 'sluice-e2e-compile-cache');

export const MODEL_DIR = join(ROOT, 'models');

/** Runs `sluice` with `args` to its end. */
export function runCli(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(NODE, [join(ROOT, 'src/cli/main.ts'), ...args], { env: { ...process.env, ...env }, cwd: ROOT });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  return new Promise((done) => child.on('close', (code) => done({ code, out, err })));
}

/** What makes a gateway load a file of this folder before its own code. */
export const preloading = (file: string): Readonly<Record<string, string>> => ({
  NODE_OPTIONS: `--import ${join(import.meta.dirname, file)}`,
});

/**
 * Starts a gateway. `config` is the config file as an object; the three faces get free ports on loopback. `launcher` is put in front of its
 * command, and must become it.
 */
export async function startGateway(
  config: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string>> = {},
  launcher: readonly string[] = [],
): Promise<GatewayUnderTest> {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-e2e-'));
  const file = join(dir, 'config.yaml');
  // One worker, and no time for idle clients at the end: a test that is about workers says how many it wants.
  const shutdown = { idleMs: 0, ...(config['shutdown'] as object | undefined) };
  const write = (next: Readonly<Record<string, unknown>>): void =>
    writeFileSync(
      file,
      onEngine(stringify({ workers: 1, ...next, shutdown, listen: freeListen(next['listen'] ?? config['listen']) })),
    );
  write(config);
  const [command, ...args] = [...launcher, NODE, join(ROOT, 'src/cli/main.ts'), 'serve', file];
  const child = spawn(command!, args, {
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE, SLUICE_STATE_DIR: join(dir, 'state'), ...env },
    cwd: ROOT,
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = new Promise<number | null>((done) => child.on('close', done));
  await untilServing(() => output, exited);
  const find = (pattern: RegExp): string => {
    const match = pattern.exec(output);
    if (match === null) throw new Error(`The gateway printed no ${pattern}:\n${output}`);
    return match[1]!;
  };
  const httpUrl = find(/HTTP +(https?:\/\/\S+)/);
  return {
    httpUrl,
    httpPort: Number(new URL(httpUrl).port),
    grpcAddress: find(/gRPC +(\S+)/),
    adminUrl: find(/admin +(https?:\/\/\S+)/),
    adminToken: find(/admin token: (\S+)/),
    keys: keysIn(output, config),
    process: child,
    dir,
    output: () => output,
    rewrite: write,
    stop: async () => {
      child.kill('SIGTERM');
      const code = await exited;
      rmSync(dir, { recursive: true, force: true });
      return code;
    },
  };
}

/** The same tests are run on each engine that speaks HTTP/2. */
const engine = process.env['SLUICE_TEST_GRPC_ENGINE'];
const GRPC_ENGINE = engine === undefined ? {} : { engine };

/** The same for what calls gRPC backends, where a config does not say. */
function onEngine(config: string): string {
  if (engine === undefined) return config;
  const given = parseDocument(config);
  visit(given, {
    Map: (_key, map) => {
      if (map.get('kind') === 'grpc' && !map.has('engine')) map.set('engine', engine);
    },
  });
  return given.toString();
}

interface ListenConfig {
  readonly http?: object;
  readonly grpc?: object;
  readonly admin?: object;
}

function freeListen(listen: unknown): object {
  const given = (listen ?? {}) as ListenConfig;
  return {
    http: { host: '127.0.0.1', port: 0, ...given.http },
    grpc: { host: '127.0.0.1', port: 0, ...GRPC_ENGINE, ...given.grpc },
    // Tests ask what happens far more often than people and scrapers do.
    admin: { host: '127.0.0.1', port: 0, token: { generate: true }, maxRequestsPerSecond: 1_000_000, ...given.admin },
  };
}

async function untilServing(output: () => string, exited: Promise<number | null>): Promise<void> {
  let code: number | null | undefined;
  void exited.then((value) => (code = value));
  const limit = Date.now() + START_LIMIT_MS;
  while (!output().includes('curl -s') || !output().includes('/metrics')) {
    if (code !== undefined) throw new Error(`The gateway ended with ${code}:\n${output()}`);
    if (Date.now() > limit) throw new Error(`The gateway did not start in time:\n${output()}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** The first generated key is printed as the demo key, the others with their tenant. */
function keysIn(output: string, config: Readonly<Record<string, unknown>>): Record<string, string> {
  const tenants = config['tenants'] as readonly { readonly id: string }[];
  const keys: Record<string, string> = {};
  const demo = /demo key: (\S+)/.exec(output);
  if (demo !== null) keys[tenants[0]!.id] = demo[1]!;
  for (const match of output.matchAll(/key of (\S+): (\S+)/g)) keys[match[1]!] ??= match[2]!;
  return keys;
}

/** One sample of a counter or gauge of `/metrics`, summed over the series whose labels include `labels`. */
export async function metric(
  gateway: GatewayUnderTest,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const response = await fetch(`${gateway.adminUrl}/metrics`);
  const text = await response.text();
  if (!response.ok) throw new Error(`GET /metrics: ${response.status} ${text}`);
  let sum = 0;
  for (const line of text.split('\n')) {
    const match = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (match === null || match[1] !== name) continue;
    const found = Object.fromEntries([...(match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map((m) => [m[1], m[2]]));
    if (Object.entries(labels).every(([key, value]) => found[key] === value)) sum += Number(match[3]);
  }
  return sum;
}

/** A call to the admin API with its token. */
export async function admin<Answer>(
  gateway: GatewayUnderTest,
  method: string,
  path: string,
  body: unknown = null,
): Promise<Answer> {
  const response = await fetch(`${gateway.adminUrl}/admin/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${gateway.adminToken}`, 'content-type': 'application/json' },
    body: body === null ? null : JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Answer;
}

/** Process ids of the workers that serve; `process` of a gateway is its supervisor. */
export async function workerPids(gateway: GatewayUnderTest): Promise<readonly number[]> {
  const { workers } = await admin<{ workers: readonly WorkerView[] }>(gateway, 'GET', 'workers');
  return workers.filter(({ state }) => state === 'serving').map(({ pid }) => pid);
}

/** Asks again until `probe` holds, within a bound that a slow machine needs. */
export async function eventually(what: string, probe: () => boolean | Promise<boolean>, limitMs = 20_000): Promise<void> {
  const limit = Date.now() + limitMs;
  while (!(await probe())) {
    if (Date.now() > limit) throw new Error(`In vain waited for: ${what}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}
