/** One row: warms a case, runs it, and says what it cost, or why the figures are void. */

import { stayAwake } from './awake.ts';
import { type BenchCase, nameOf } from './cases.ts';
import { type CpuTime, canReadCpuTime, readCpuTime } from './cpu-time.ts';
import { IN_FLIGHT, type LatencyMs, type Load, type LoadResult } from './load.ts';

export interface BenchRow {
  readonly name: string;
  readonly face: 'rest' | 'grpc';
  readonly way: string;
  readonly body: string;
  /** Empty when the figures count; else why they do not. */
  readonly voided: string;
  readonly requests: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly latencyMs: LatencyMs;
  readonly non2xx: number;
  /** CPU of the process under test for one request, all its threads and its main thread; null where it cannot be read. */
  readonly cpuUs: number | null;
  readonly mainCpuUs: number | null;
  /** Percent of the time that the process under test was on a core, and that others held its core. */
  readonly busyPercent: number | null;
  readonly othersPercent: number | null;
}

export interface MeasureOptions {
  readonly seconds: number;
  /** Core of the process under test; -1 when it is not pinned. */
  readonly core: number;
}

/** The engine compiles what is hot: each round tells whether it is done. */
const WARM_SECONDS = 0.7;
const WARM_ROUNDS_MIN = 2;
const WARM_ROUNDS_MAX = 6;
const STEADY_FACTOR = 1.05;
const FIRST_AMOUNT = 4 * IN_FLIGHT;
/** A run that takes so much longer than planned hangs. */
const LATE_FACTOR = 8;
const LATE_EXTRA_MS = 20_000;
/** The server counts a request when its last byte has left, which the client may hear of first. */
const COUNT_TRIES = 20;
const COUNT_WAIT_MS = 50;

export async function measure(bench: BenchCase, options: MeasureOptions): Promise<BenchRow> {
  const { load, close } = await bench.begin();
  const awake = stayAwake();
  try {
    const amount = Math.max(FIRST_AMOUNT, Math.round((await warm(load)) * options.seconds));
    const before = await bench.counted();
    const cpuBefore = cpuOf(bench.pid, options.core);
    const result = await inTime(load(amount), options.seconds);
    const cpuAfter = cpuOf(bench.pid, options.core);
    const counted = await countOf(bench, before, amount);
    const cost = costOf(cpuBefore, cpuAfter, result, options.core);
    return { ...rowOf(bench, result, amount), ...cost, voided: whyVoid(result, counted, amount) };
  } finally {
    awake.stop();
    close();
  }
}

/** Runs until it gets no faster. Gives requests a second. */
async function warm(load: Load): Promise<number> {
  let rate = rateOf(await inTime(load(FIRST_AMOUNT), WARM_SECONDS));
  for (let round = 1; round <= WARM_ROUNDS_MAX; round++) {
    const amount = Math.max(FIRST_AMOUNT, Math.round(rate * WARM_SECONDS));
    const faster = rateOf(await inTime(load(amount), WARM_SECONDS));
    const isSteady = faster < rate * STEADY_FACTOR;
    rate = faster;
    if (isSteady && round >= WARM_ROUNDS_MIN) break;
  }
  return rate;
}

const rateOf = ({ good, bad, elapsedMs }: LoadResult): number => ((good + bad) / elapsedMs) * 1000;

function inTime(run: Promise<LoadResult>, seconds: number): Promise<LoadResult> {
  const limitMs = seconds * 1000 * LATE_FACTOR + LATE_EXTRA_MS;
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`A run planned for ${seconds} s has not ended after ${limitMs / 1000} s.`)),
      limitMs,
    );
  });
  return Promise.race([run, late]).finally(() => clearTimeout(timer));
}

/** What the server has counted since, once it has counted all or does not go on. */
async function countOf(bench: BenchCase, before: number, expected: number): Promise<number> {
  let counted = (await bench.counted()) - before;
  for (let tries = 0; counted < expected && tries < COUNT_TRIES; tries++) {
    await new Promise((resolve) => setTimeout(resolve, COUNT_WAIT_MS));
    counted = (await bench.counted()) - before;
  }
  return counted;
}

function whyVoid({ good, bad, strange }: LoadResult, counted: number, amount: number): string {
  if (bad > 0) return `${bad} requests were not answered well`;
  if (strange > 0) return `${strange} answers were not the expected one`;
  if (good !== amount) return `${good} answers to ${amount} requests`;
  return counted === amount ? '' : `the server counted ${counted} answers, the load ${amount}`;
}

function rowOf(bench: BenchCase, result: LoadResult, requests: number) {
  const { face, way, body } = bench;
  const seconds = result.elapsedMs / 1000;
  const perSecond = requests / seconds;
  return { name: nameOf(bench), face, way, body, requests, seconds, perSecond, latencyMs: result.latency, non2xx: result.bad };
}

const cpuOf = (pid: number, core: number): CpuTime | null => (canReadCpuTime ? readCpuTime(pid, core) : null);

function costOf(before: CpuTime | null, after: CpuTime | null, { good, elapsedMs }: LoadResult, core: number) {
  if (before === null || after === null) return { cpuUs: null, mainCpuUs: null, busyPercent: null, othersPercent: null };
  const usedUs = after.processUs - before.processUs;
  const percentOf = (us: number): number => us / elapsedMs / 10;
  return {
    cpuUs: usedUs / good,
    mainCpuUs: (after.mainThreadUs - before.mainThreadUs) / good,
    busyPercent: percentOf(usedUs),
    othersPercent: core < 0 ? null : Math.max(0, percentOf(after.coreUs - before.coreUs - usedUs)),
  };
}
