import { type GuardChain, type Inspection, Ruling } from '../core/guard.ts';
import type { Maybe } from '../core/verdict.ts';
import type { Guard } from './guard.ts';
import { Subject } from './subject.ts';

export type OnRuling = (guard: string, ruling: Ruling) => void;

/** How long a guard that answers with a promise may take before it counts as one that could not judge. */
export const GUARD_TIMEOUT_MS = 50;

/** One inspection on its way through the chain. */
interface Run {
  readonly inspection: Inspection;
  subject: Subject;
  /** Index of the guard to be asked next. */
  next: number;
  /** The highest ruling so far. */
  ruling: Ruling;
}

/** Asks its guards one after another, each seeing what those before it rewrote. Synchronous until a guard answers with a promise. */
export class OrderedChain implements GuardChain {
  readonly policy: string;
  readonly #guards: readonly Guard[];
  readonly #onRuling: OnRuling;

  constructor(guards: readonly Guard[], policy: string, onRuling: OnRuling) {
    this.policy = policy;
    this.#guards = guards;
    this.#onRuling = onRuling;
  }

  /** @hot */
  inspect(inspection: Inspection): Maybe<Ruling> {
    return this.#goOn({ inspection, subject: new Subject(inspection.tensors), next: 0, ruling: Ruling.Allow });
  }

  #goOn(run: Run): Maybe<Ruling> {
    while (run.next < this.#guards.length) {
      const guard = this.#guards[run.next++]!;
      const answer = ask(guard, run.subject);
      if (typeof answer !== 'number') return this.#wait(run, guard, answer);
      if (!this.#passes(run, guard, answer)) return run.ruling;
    }
    run.subject.commit();
    return run.ruling;
  }

  async #wait(run: Run, guard: Guard, answer: Promise<Ruling>): Promise<Ruling> {
    const settled = await within(answer, GUARD_TIMEOUT_MS);
    if (settled === 'timeout') abandon(run);
    if (typeof settled === 'string') run.subject.rule = settled;
    if (!this.#passes(run, guard, typeof settled === 'string' ? Ruling.Error : settled)) return run.ruling;
    return this.#goOn(run);
  }

  /** Counts and notes a ruling. False when it ends the chain. */
  #passes(run: Run, guard: Guard, ruling: Ruling): boolean {
    this.#onRuling(guard.name, ruling);
    if (ruling === Ruling.Rewrite) run.subject.accept();
    else run.subject.discard();
    const tolerated = ruling === Ruling.Error && !guard.failClosed;
    if (ruling === Ruling.Flag) run.inspection.flags.push(guard.name);
    if (ruling > run.ruling && !tolerated) note(run, guard, ruling);
    return tolerated || ruling < Ruling.Block;
  }
}

/** A guard that throws could not judge. What it threw may quote content, so nothing of it is kept but the ruling. */
function ask(guard: Guard, subject: Subject): Maybe<Ruling> {
  subject.rule = '';
  try {
    return guard.check(subject);
  } catch {
    subject.rule = 'failed';
    return Ruling.Error;
  }
}

function note(run: Run, guard: Guard, ruling: Ruling): void {
  run.ruling = ruling;
  run.inspection.guard = guard.name;
  run.inspection.rule = run.subject.rule;
}

/** Never rejects. A promise that settles later than `timeoutMs` is heard by nobody. */
function within(answer: Promise<Ruling>, timeoutMs: number): Promise<Ruling | 'timeout' | 'failed'> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeoutMs, 'timeout' as const);
    answer.then(
      (ruling) => {
        clearTimeout(timer);
        resolve(ruling);
      },
      () => {
        clearTimeout(timer);
        resolve('failed');
      },
    );
  });
}

/** Leaves the subject to the guard that still holds it; the others go on with a new one, which it cannot write to. */
function abandon(run: Run): void {
  run.subject.discard();
  run.subject.commit();
  run.subject = new Subject(run.inspection.tensors);
}
