/** How a call of the soak ended, and what is allowed of it. */

/**
 * right: the whole answer, with the call's own mark. left: its caller went away. late, busy, unavailable: refused, as where a backend is down.
 * cut: the connection or the stream was reset. wrong: anything else. stuck: nothing came, long after its deadline.
 */
export const ENDINGS = ['right', 'left', 'late', 'busy', 'unavailable', 'cut', 'wrong', 'stuck'] as const;
export type Ending = (typeof ENDINGS)[number];

export interface Ended {
  readonly ending: Ending;
  readonly detail: string;
}

export const RIGHT: Ended = { ending: 'right', detail: '' };
export const LEFT: Ended = { ending: 'left', detail: '' };
export const CUT: Ended = { ending: 'cut', detail: '' };
export const wrong = (detail: string): Ended => ({ ending: 'wrong', detail });

/** A caller of the soak: one call after another, each with marks of its own. */
export interface Caller {
  readonly kind: string;
  /** Never rejects. */
  ask(nextMark: () => number): Promise<Ended>;
  close(): void;
}

/** What statuses other than OK may mean; `gaveUp` says that the caller has cancelled. */
export function endingOf(status: number, details: string, gaveUp: boolean): Ended {
  const detail = `${status} ${details}`;
  switch (status) {
    case 1:
      return { ending: gaveUp ? 'left' : 'cut', detail };
    case 4:
      return { ending: 'late', detail };
    case 8:
      return { ending: 'busy', detail };
    case 14:
      return { ending: 'unavailable', detail };
    default:
      return wrong(detail);
  }
}

/** What a stream says of one question in place of an answer. A backend that seems to lie is bytes that went astray. */
export function refusalOf(message: string): Ended {
  const isBad = /mistake|signature|not well formed/.test(message);
  return { ending: isBad ? 'wrong' : 'unavailable', detail: message };
}

/** Deadline of calls that are meant to be answered. */
export const LONG_MS = 8_000;

export interface Manner {
  readonly timeoutMs: number;
  /** When its caller goes away; 0 where it stays. */
  readonly leavesAfterMs: number;
  readonly words: number;
}

/** One of six leaves, one of eight has hardly any time, and one of sixteen is large. */
export function mannerOf(random: () => number): Manner {
  const leaves = random() < 1 / 6;
  const hasNoTime = !leaves && random() < 1 / 8;
  const isLarge = random() < 1 / 16;
  return {
    timeoutMs: hasNoTime ? 1 + Math.floor(random() * 15) : LONG_MS,
    leavesAfterMs: leaves ? 0.1 + random() * 15 : 0,
    words: isLarge ? 4_096 + Math.floor(random() * 61_440) : 3 + Math.floor(random() * 100),
  };
}
