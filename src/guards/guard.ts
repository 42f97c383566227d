import type { Ruling } from '../core/guard.ts';
import type { Maybe } from '../core/verdict.ts';
import type { Subject } from './subject.ts';

/** One rule of one chain. It looks at a subject, may draft new texts on it, and says what it makes of it. */
export interface Guard {
  readonly name: string;
  /** Whether the request is refused when this guard cannot judge. */
  readonly failClosed: boolean;
  /**
   * Anything but Allow sets `subject.rule` first. Throwing, rejecting and Ruling.Error all mean the same: could not judge.
   * Drafts count only with Ruling.Rewrite.
   */
  check(subject: Subject): Maybe<Ruling>;
}
