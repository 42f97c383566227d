/** A Sluice in a process of its own, started from a config object on free ports, with a temporary folder that goes when it does. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { OutputTail } from './output-tail.ts';

export interface SluiceOptions {
  /** For messages. */
  readonly name: string;
  /** As the config file says it; ports that it leaves out are taken free, and all paths in it are absolute. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Put before the command line, such as `taskset -c 0`. */
  readonly launcher?: readonly string[];
}

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const START_LIMIT_MS = 60_000;
/** Beyond the grace that a gateway gives its requests by default. */
const STOP_LIMIT_MS = 40_000;
const FREE_PORT = { host: '127.0.0.1', port: 0 };
/** The last line of what `serve` prints. */
const READY = /^curl -s \S+\/metrics$/m;

export class SluiceProcess {
  readonly name: string;
  /** Rejects when the process ends before it was told to. */
  readonly died: Promise<never>;
  readonly #child: ChildProcess;
  readonly #dir: string;
  readonly #output = new OutputTail(READY);
  readonly #ended: Promise<string>;
  #secrets: Readonly<Record<string, string>> = {};
  #stopping = false;

  /** Resolves when it serves; rejects, with nothing left behind, when it does not. */
  static async start(options: SluiceOptions): Promise<SluiceProcess> {
    const sluice = new SluiceProcess(options);
    let timer: NodeJS.Timeout | null = null;
    const late = new Promise<never>((_, reject) => {
      const say = (): void =>
        reject(
          new Error(`${options.name} does not serve after ${START_LIMIT_MS / 1000} s. It said last:\n${sluice.#output.text}`),
        );
      timer = setTimeout(say, START_LIMIT_MS);
    });
    try {
      await Promise.race([sluice.#output.matched, sluice.died, late]);
      sluice.#readSecrets();
      return sluice;
    } catch (error) {
      sluice.#child.kill('SIGKILL');
      sluice.#forget();
      throw error;
    } finally {
      if (timer !== null) clearTimeout(timer);
    }
  }

  private constructor(options: SluiceOptions) {
    this.name = options.name;
    this.#dir = mkdtempSync(join(tmpdir(), 'sluice-'));
    const file = join(this.#dir, 'config.yaml');
    writeFileSync(file, stringify({ ...options.config, listen: listenOf(options.config['listen']) }), { mode: 0o600 });
    const [command, ...args] = [...(options.launcher ?? []), process.execPath, MAIN, 'serve', file];
    this.#child = spawn(command!, args, {
      env: { ...process.env, ...options.env, SLUICE_STATE_DIR: join(this.#dir, 'state') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#output.follow(this.#child.stdout!);
    this.#output.follow(this.#child.stderr!);
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(`could not be started (${error.message})`));
      this.#child.once('close', (code, signal) => resolve(code === null ? `was killed by ${signal}` : `exited with ${code}`));
    });
    this.died = this.#ended.then((end) => {
      if (this.#stopping) return new Promise<never>(() => undefined);
      throw new Error(`${this.name} ${end} though nobody had stopped it. It said last:\n${this.#output.text}`);
    });
    // Whoever does not wait for it must not crash over it.
    this.died.catch(() => undefined);
    process.once('exit', this.#onExit);
  }

  /** Of the supervisor; launchers put themselves out of the way. */
  get pid(): number {
    return this.#child.pid!;
  }

  get httpUrl(): string {
    return this.#printed(/HTTP +(http\S+)/);
  }

  get grpcAddress(): string {
    return this.#printed(/gRPC +(\S+)/);
  }

  get adminUrl(): string {
    return this.#printed(/admin +(http\S+)/);
  }

  get adminToken(): string {
    return this.#secret('admin.token');
  }

  /** The generated API key of a tenant. */
  key(tenant: string, id: string): string {
    return this.#secret(`key.${tenant}.${id}`);
  }

  /** SIGTERM. Rejects when the process does not end in time or not with 0. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_LIMIT_MS);
    const end = await this.#ended;
    clearTimeout(timer);
    this.#forget();
    if (end !== 'exited with 0') {
      throw new Error(`${this.name} ${end} after SIGTERM; expected exit code 0. It said last:\n${this.#output.text}`);
    }
  }

  readonly #onExit = (): void => {
    this.#child.kill('SIGKILL');
    rmSync(this.#dir, { recursive: true, force: true });
  };

  #forget(): void {
    process.off('exit', this.#onExit);
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #readSecrets(): void {
    const file = JSON.parse(readFileSync(join(this.#dir, 'state', 'secrets.json'), 'utf8')) as {
      readonly secrets: Readonly<Record<string, string>>;
    };
    this.#secrets = file.secrets;
  }

  #secret(name: string): string {
    const value = this.#secrets[name];
    if (value === undefined) throw new Error(`${this.name} has made no secret "${name}"; it made ${Object.keys(this.#secrets)}.`);
    return value;
  }

  #printed(pattern: RegExp): string {
    const match = pattern.exec(this.#output.head);
    if (match === null) throw new Error(`${this.name} has printed no ${pattern}:\n${this.#output.head}`);
    return match[1]!;
  }
}

function listenOf(given: unknown): object {
  const { http, grpc, admin } = (given ?? {}) as Readonly<Record<string, object | undefined>>;
  return {
    http: { ...FREE_PORT, ...http },
    grpc: { ...FREE_PORT, ...grpc },
    admin: { ...FREE_PORT, token: { generate: true }, ...admin },
  };
}
