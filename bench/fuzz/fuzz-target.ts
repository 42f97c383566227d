import { getHeapStatistics } from 'node:v8';
import { SeededRandom } from '../../scripts/models/seeded-random.ts';
import { mutated, repeated } from './mutations.ts';
import type { Target } from './targets.ts';

/** Feeds one decoder, times every case, and stops at the first that breaks a bound. */

/** Longest case, for inputs of at most `LARGEST_BYTES`. */
export const TIME_LIMIT_MS = 50;
export const LARGEST_BYTES = 65_536;
/**
 * What a case may allocate: the widest element takes 8 bytes for 2 of text, and each input and key has its objects; the constant is for
 * what the engine does on the side.
 */
export const allocationLimit = (inputBytes: number): number => 32 * inputBytes + 1_048_576;

const LARGE_ONE_IN = 100;
const NOISE_ONE_IN = 20;
const GENERATED_ONE_IN = 2;
const NOISE_BYTES = 120;
/** The clock and the heap also count what others do: a case is as bad as the best of so many tries. */
const TRIES = 8;

export interface FuzzReport {
  readonly name: string;
  readonly cases: number;
  readonly bytes: number;
  readonly elapsedMs: number;
  readonly worstMs: number;
  readonly worstMsBytes: number;
  readonly worstAllocated: number;
  readonly worstAllocatedBytes: number;
  /** What is wrong, with the input; null when nothing is. */
  readonly failure: FuzzFailure | null;
}

export interface FuzzFailure {
  readonly reason: string;
  readonly case: number;
  readonly input: Buffer;
}

/** Runs `cases` inputs, the same for the same seed. */
export function fuzzTarget(target: Target, cases: number, seed: number): FuzzReport {
  const random = new SeededRandom(seed);
  const startedMs = performance.now();
  const run = new Run(target);
  let done = 0;
  while (done < cases && run.failure === null) run.take(nextInput(target, random), done++);
  return {
    name: target.name,
    cases: done,
    bytes: run.bytes,
    elapsedMs: performance.now() - startedMs,
    worstMs: run.worstMs,
    worstMsBytes: run.worstMsBytes,
    worstAllocated: run.worstAllocated,
    worstAllocatedBytes: run.worstAllocatedBytes,
    failure: run.failure,
  };
}

function nextInput(target: Target, random: SeededRandom): Buffer {
  const seed = target.seeds[random.below(target.seeds.length)]!;
  if (random.below(LARGE_ONE_IN) === 0) return largeInput(target, random, seed);
  if (random.below(NOISE_ONE_IN) === 0)
    return Buffer.from(Array.from({ length: random.below(NOISE_BYTES) }, () => random.below(256)));
  if (random.below(GENERATED_ONE_IN) === 0) return target.generated(random);
  return mutated(random, seed, target.seeds[random.below(target.seeds.length)]!);
}

/** What is quadratic, or allocates by what it is told and not by what it gets, shows only here. */
function largeInput(target: Target, random: SeededRandom, seed: Buffer): Buffer {
  const size = random.below(LARGEST_BYTES);
  const kind = random.below(4);
  const whole = kind > 1 ? target.large(random, size) : repeated(random, kind === 0 ? seed : target.generated(random), size);
  return whole.subarray(0, LARGEST_BYTES);
}

class Run {
  readonly #target: Target;
  bytes = 0;
  worstMs = 0;
  worstMsBytes = 0;
  worstAllocated = 0;
  worstAllocatedBytes = 0;
  failure: FuzzFailure | null = null;

  constructor(target: Target) {
    this.#target = target;
  }

  take(input: Buffer, index: number): void {
    this.bytes += input.length;
    // Decoders may keep views: what they were given must stay as it was.
    const given = Buffer.from(input);
    try {
      this.#measure(given);
      this.#target.check?.(given);
    } catch (error) {
      this.failure = { reason: `threw ${(error as Error).stack}`, case: index, input };
      return;
    }
    if (!given.equals(input)) this.failure = { reason: 'the input was changed', case: index, input };
    else if (this.worstMs > TIME_LIMIT_MS) {
      this.failure = { reason: `took ${this.worstMs.toFixed(1)} ms, at most ${TIME_LIMIT_MS} are allowed`, case: index, input };
    } else if (this.worstAllocated > allocationLimit(this.worstAllocatedBytes)) {
      const limit = allocationLimit(input.length);
      this.failure = { reason: `allocated ${this.worstAllocated} bytes, at most ${limit} are allowed`, case: index, input };
    }
  }

  #measure(input: Buffer): void {
    let ms = Number.POSITIVE_INFINITY;
    let allocated = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < TRIES && (ms > this.worstMs || allocated > this.worstAllocated); tries++) {
      const heldBefore = heldBytes();
      const startedMs = performance.now();
      const startedCpu = process.threadCpuUsage();
      this.#target.feed(input);
      ms = Math.min(ms, tookMs(performance.now() - startedMs, startedCpu));
      // A collection in between makes it negative, which says nothing.
      const grown = heldBytes() - heldBefore;
      if (grown >= 0) allocated = Math.min(allocated, grown);
    }
    if (ms > this.worstMs) {
      this.worstMs = ms;
      this.worstMsBytes = input.length;
    }
    if (allocated > this.worstAllocated && allocated !== Number.POSITIVE_INFINITY) {
      this.worstAllocated = allocated;
      this.worstAllocatedBytes = input.length;
    }
  }
}

/** Whatever seems too long is counted in processor time, which other processes cannot add to; the kernel counts it in coarse steps. */
function tookMs(ms: number, startedCpu: NodeJS.CpuUsage): number {
  if (ms <= TIME_LIMIT_MS) return ms;
  const { user, system } = process.threadCpuUsage(startedCpu);
  return (user + system) / 1_000;
}

/** Bytes on the heap and in buffers outside of it. */
function heldBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}
