import { comparison } from '../../src/config/comparison-schema.ts';
import type { Clock } from '../../src/core/clock.ts';
import type { EvidenceBook } from '../../src/core/evidence.ts';
import { basisPoints } from '../../src/core/units.ts';
import { ComparisonBook } from '../../src/router/comparison/comparison-book.ts';
import { SpareTurns } from '../../src/router/comparison/spare-turns.ts';
import { Copies } from '../../src/router/copies/copies.ts';
import type { MirrorOptions } from '../../src/router/copies/mirrors.ts';

/** What a rollout is told of pairs: model, variant, affinity, disagreed. */
export type ToldPair = Parameters<EvidenceBook['pair']>;

/** Copies of requests for model `m`, begun and compared at once, and all that came of them. */
export class CopiesWorld {
  readonly outcomes: string[] = [];
  readonly pairs: ToldPair[] = [];
  readonly lost: unknown[] = [];
  readonly book: ComparisonBook;
  readonly copies: Copies;

  constructor(clock: Clock, mirrors: Partial<MirrorOptions> = {}) {
    this.book = new ComparisonBook({
      policies: { m: comparison.parse({}) },
      clock,
      evidence: { pair: (...pair) => void this.pairs.push(pair) },
      costOf: () => 7,
    });
    const none = { sample: basisPoints(0), watchedSample: basisPoints(0), watchedPerSecond: 0, isWatched: () => false };
    this.copies = new Copies({
      limits: { maxQueued: 10, maxInFlight: 10, maxQueuedBytes: 1_000_000, timeoutMs: 1_000 },
      mirrors: { m: { ...none, ...mirrors } },
      clock,
      turns: new SpareTurns({ nowUs: () => clock.nowUs(), later: (turn) => turn() }),
      compare: (answered, second) => this.book.compare(answered, second),
      ended: (answered, asked, outcome) => this.book.ended(answered, asked, outcome),
      onShadow: (_model, variant, outcome) => void this.outcomes.push(`shadow ${variant} ${outcome}`),
      onMirror: (_model, variant, asked, outcome) => void this.outcomes.push(`mirror ${variant} ${asked} ${outcome}`),
      onLost: (error) => void this.lost.push(error),
    });
  }
}
