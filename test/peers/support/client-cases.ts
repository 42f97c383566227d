import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'vitest';
import { installed, PEERS } from './peer-process.ts';

/** A script in `python/` that runs named cases with a client of a peer; what each gave. */

export interface ClientError {
  readonly type: string;
  readonly status: string | null;
  readonly message: string;
}

type Outcome = { readonly value: unknown } | { readonly error: ClientError };

/** Longer than all the scripts' own limits together. */
const SCRIPT_LIMIT_MS = 120_000;

export class ClientCases {
  readonly #outcomes: Readonly<Record<string, Outcome>>;

  constructor(outcomes: Readonly<Record<string, Outcome>>) {
    this.#outcomes = outcomes;
  }

  /** What the client returned; fails the test with the client's own words where it raised. */
  value<Value = unknown>(name: string): Value {
    const outcome = this.#of(name);
    if ('error' in outcome) expect.fail(`${name} raised ${JSON.stringify(outcome.error)}`);
    return outcome.value as Value;
  }

  /** What the client raised. */
  error(name: string): ClientError {
    const outcome = this.#of(name);
    if ('value' in outcome) expect.fail(`${name} raised nothing and returned ${JSON.stringify(outcome.value)}`);
    return outcome.error;
  }

  #of(name: string): Outcome {
    const outcome = this.#outcomes[name];
    if (outcome === undefined) throw new Error(`The script has no case "${name}".`);
    return outcome;
  }
}

/** Runs `script` with the Python of the clients; `given` is what its cases read. */
export function runClient(script: string, given: Readonly<Record<string, unknown>>): Promise<ClientCases> {
  const child = spawn(installed('clients', 'bin', 'python'), [join(PEERS, 'python', script), JSON.stringify(given)], {
    // Forks of gRPC's core say on stderr that they may not work; nothing here forks.
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', GRPC_VERBOSITY: 'NONE', NO_PROXY: '127.0.0.1,localhost' },
    timeout: SCRIPT_LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      const last = out.trimEnd().split('\n').at(-1) ?? '';
      if (code === 0 && last.startsWith('{')) resolve(new ClientCases(JSON.parse(last) as Record<string, Outcome>));
      else reject(new Error(`${script} ended with ${code}:\n${out}\n${err}`));
    });
  });
}
