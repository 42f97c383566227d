import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { FloodTarget } from './floods.ts';

export interface AttackOrder {
  readonly port: number;
  /** Its name. */
  readonly flood: string;
  readonly target: FloodTarget;
  /** At the same time. */
  readonly connections: number;
  /** What calls say that say something; base64. */
  readonly message: string;
  readonly comesBackAfterMs: number;
}

/** Connections that were ended, by the code of their GOAWAY; empty where a reset has overtaken it. */
export interface AttackReport {
  readonly codes: Readonly<Record<string, number>>;
}

/** Attackers in a process of their own, so that they take no time from those who measure. */
export class Attack {
  readonly #child: ChildProcess;

  /** Resolves when they are under way. */
  static async begin(this: void, order: AttackOrder): Promise<Attack> {
    const attack = new Attack(order);
    await attack.#next();
    attack.#child.send('begin');
    return attack;
  }

  private constructor(order: AttackOrder) {
    this.#child = fork(join(import.meta.dirname, 'attack-side.ts'), [JSON.stringify(order)]);
  }

  stop(): Promise<AttackReport> {
    const report = this.#next<AttackReport>();
    this.#child.send('end');
    return report;
  }

  #next<T>(): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#child.once('message', (message) => resolve(message as T));
      this.#child.once('exit', (code) => reject(new Error(`The attackers have ended with code ${code}.`)));
    });
  }
}
