/** Callers that ask one call after another until they are paused, and a count of how their calls ended. */

import { type Caller, ENDINGS, type Ended, type Ending, LONG_MS } from './ending.ts';

/** Beyond its deadline a call may take so long to end before it counts as stuck. */
const STUCK_MS = 15_000;
const MOST_THINKING_MS = 20;
const KEPT_DETAILS = 20;

export class Load {
  /** Calls by kind and ending. */
  readonly tally = new Map<string, Record<Ending, number>>();
  /** What was said of endings that must not be, and a few of those that may. */
  readonly faults: string[] = [];
  readonly details = new Map<string, number>();
  #mark = 0;
  readonly #callers: readonly Caller[];
  readonly #random: () => number;

  constructor(callers: readonly Caller[], random: () => number) {
    this.#callers = callers;
    this.#random = random;
    for (const { kind } of callers)
      this.tally.set(kind, Object.fromEntries(ENDINGS.map((ending) => [ending, 0])) as Record<Ending, number>);
  }

  get calls(): number {
    return ENDINGS.reduce((sum, ending) => sum + this.count(ending), 0);
  }

  count(ending: Ending): number {
    return [...this.tally.values()].reduce((sum, counts) => sum + counts[ending], 0);
  }

  /** Resolves `ms` later, when the last call has ended. */
  async run(ms: number): Promise<void> {
    const endMs = performance.now() + ms;
    await Promise.all(this.#callers.map((caller) => this.#ask(caller, endMs)));
  }

  close(): void {
    for (const caller of this.#callers) caller.close();
  }

  async #ask(caller: Caller, endMs: number): Promise<void> {
    const nextMark = (): number => ++this.#mark;
    while (performance.now() < endMs) {
      const { ending, detail } = await orStuck(caller.ask(nextMark));
      this.tally.get(caller.kind)![ending]++;
      if (ending === 'wrong' || ending === 'stuck') this.#note(`${caller.kind}: ${ending} ${detail}`);
      else if (detail !== '') this.#count(`${ending} ${detail.replaceAll(/\d{2,}/g, '#')}`);
      await new Promise((done) => setTimeout(done, this.#random() * MOST_THINKING_MS));
    }
  }

  #note(fault: string): void {
    if (this.faults.length < KEPT_DETAILS) this.faults.push(fault);
  }

  #count(detail: string): void {
    if (this.details.has(detail) || this.details.size < KEPT_DETAILS * 5)
      this.details.set(detail, (this.details.get(detail) ?? 0) + 1);
  }
}

async function orStuck(call: Promise<Ended>): Promise<Ended> {
  let timer: NodeJS.Timeout | null = null;
  const stuck = new Promise<Ended>((resolve) => {
    timer = setTimeout(() => resolve({ ending: 'stuck', detail: 'no end' }), LONG_MS + STUCK_MS);
  });
  try {
    return await Promise.race([call, stuck]);
  } finally {
    clearTimeout(timer!);
  }
}
