import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../../config/problem.ts';

/**
 * Holds a state folder for one gateway: two would write into each other's histories. The file names a process, and counts only while that
 * very process lives, so that a gateway that was killed keeps nobody out. It sees no processes of other machines or containers.
 */
export class StateLock {
  readonly #file: string;
  readonly #own: string;
  /** Why the folder could not be locked; empty when it is. A gateway serves from a folder that it cannot write, too. */
  readonly problem: string;

  /** Throws ConfigError where another gateway holds the folder. */
  constructor(stateDir: string, configFile: string) {
    this.#file = join(stateDir, 'gateway.lock');
    this.#own = `${process.pid} ${startOf(process.pid)}\n`;
    const holder = this.#holder();
    if (holder !== 0) throw new ConfigError(configFile, [{ path: 'stateDir', message: heldMessage(stateDir, holder) }]);
    this.problem = this.#take(stateDir);
  }

  /** For the next gateway. */
  release(): void {
    try {
      if (readFileSync(this.#file, 'utf8') === this.#own) rmSync(this.#file);
    } catch {
      // It is gone, or cannot be removed: it names a process that will have ended.
    }
  }

  /** The other process that holds the folder and lives; 0 without one. */
  #holder(): number {
    let text: string;
    try {
      text = readFileSync(this.#file, 'utf8');
    } catch {
      // Nobody holds it, or it cannot be told; what is taken next says why not.
      return 0;
    }
    const [, pid, start] = /^(\d{1,10}) (\d*)\n$/.exec(text) ?? [];
    if (pid === undefined || text === this.#own || Number(pid) === process.pid) return 0;
    return lives(Number(pid), start!) ? Number(pid) : 0;
  }

  #take(stateDir: string): string {
    try {
      mkdirSync(stateDir, { recursive: true, mode: 0o700 });
      writeFileSync(this.#file, this.#own, { mode: 0o600 });
      return '';
    } catch (error) {
      return `${this.#file}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
    }
  }
}

const heldMessage = (stateDir: string, pid: number): string =>
  `found ${stateDir} in use by the gateway with process id ${pid}; expected a folder of its own. Stop that one first, or set SLUICE_STATE_DIR`;

/** A process id is given to another process by and by; its start says which it was. */
function lives(pid: number, start: string): boolean {
  const now = startOf(pid);
  if (start !== '' && existsProc()) return now === start;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process lives, too.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const existsProc = (): boolean => startOf(process.pid) !== '';

/** In ticks since the machine began (Linux); empty where that cannot be told, or the process has ended and waits to be buried. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything; the fields behind it begin with the state, and the start is the 20th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? '' : (fields[19] ?? '');
  } catch {
    return '';
  }
}
