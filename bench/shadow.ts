/** `npm run bench:shadow`: what a shadow of all requests costs those who are answered. */

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SluiceProcess } from '../scripts/demo/sluice-process.ts';
import { untilReady } from '../scripts/demo/until-ready.ts';
import { table } from '../src/cli/terminal.ts';
import { TENANT } from './bench-config.ts';
import { Companion } from './companion.ts';
import { randomNumbers } from './load/arrivals.ts';
import { bootstrapRatio, type RatioInterval } from './load/bootstrap.ts';
import { GeneratorProcess } from './load/generator-process.ts';
import { ARMS, PLAIN, run, runRound, SHADOWED, type ShadowBench, type ShadowRound } from './load/shadow-rounds.ts';
import { readMachine, readSoftware } from './machine.ts';
import { type Pinning, pin } from './pinning.ts';

const USAGE = 'node bench/shadow.ts [--rounds N] [--seconds N] [--rate REQUESTS_A_SECOND] [--name NAME]';
const WARM_ROUNDS = 2;
/** Servers that each take so long, as many as never let anybody wait. */
const SERVERS = 256;
const SERVICE_MS = 10;
/** A shadow that was asked less often is not the one that was to be measured. */
const LEAST_COPIED = 0.99;
const SEED = 20_260;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

try {
  await main();
} catch (error) {
  console.error(`The benchmark failed: ${(error as Error).message}`);
  // Whatever still runs is ended on the way out.
  process.exit(1);
}

async function main(): Promise<void> {
  const options = readOptions();
  const machine = readMachine();
  const software = readSoftware();
  const rounds = await measure(pin(), options);
  const ratios = { p99: ratioOf(rounds, 'p99'), p50: ratioOf(rounds, 'p50') };
  console.log(
    `\nSluice ${software} on ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}. Load average before: ${machine.loadBefore}.` +
      `\n${options.rate} requests a second, Poisson; backend and shadow take ${SERVICE_MS} ms; ${rounds.length} rounds of ${options.seconds} s an arm.` +
      `\n\n${tableOf(rounds)}\n\n${summaryOf(ratios)}\n${warningOf(rounds)}`,
  );
  const name = `shadow-${options.name ?? new Date().toISOString().slice(0, 10)}`;
  const file = fileURLToPath(new URL(`results/${name}.json`, import.meta.url));
  const results = { software, machine, ...options, serviceMs: SERVICE_MS, ratios, rounds };
  writeFileSync(file, `${JSON.stringify(results, rounded, 2)}\n`);
  console.log(`Written to ${file}. For docs/benchmarks.md:\n${docsLine(ratios, rounds.length, options.rate)}`);
}

function readOptions() {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { rounds: text, seconds: text, rate: text, name: text } });
  const rounds = Number(values.rounds ?? '12');
  const seconds = Number(values.seconds ?? '5');
  const rate = Number(values.rate ?? '400');
  const fits = rounds >= 2 && rounds <= 200 && seconds >= 1 && seconds <= 60 && rate >= 1 && rate <= 20_000;
  if (!fits || !Number.isInteger(rounds)) throw new Error(`Usage: ${USAGE}`);
  return { rounds, seconds, rate, name: values.name };
}

async function measure(
  pinning: Pinning,
  options: { readonly rounds: number; readonly seconds: number; readonly rate: number },
): Promise<readonly ShadowRound[]> {
  const server = { launcher: pinning.load, answers: { servers: String(SERVERS), serviceMs: String(SERVICE_MS) } };
  const primary = await Companion.start('./load/timed-server.ts', server);
  const shadow = await Companion.start('./load/timed-server.ts', server);
  const config = configOf(primary.port, shadow.port);
  const gateway = await SluiceProcess.start({ name: 'the gateway under test', config, launcher: pinning.server });
  await Promise.race([untilReady(gateway), gateway.died]);
  const generator = new GeneratorProcess(pinning.load);
  const key = gateway.key(TENANT.id, TENANT.keyId);
  const bench: ShadowBench = { gateway, shadow, generator, key, perSecond: options.rate, seconds: options.seconds };
  // Both ways are compiled before any of them counts.
  for (let i = 0; i < WARM_ROUNDS; i++) {
    for (const model of [PLAIN, SHADOWED]) await Promise.race([run({ ...bench, seconds: 1 }, model, i), gateway.died]);
  }
  const rounds: ShadowRound[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const one = await runRound(bench, round);
    console.log(
      `round ${round + 1}: p99 ${ARMS.map((arm) => `${arm} ${one.reports[arm].admittedMs.p99.toFixed(2)} ms`).join(', ')}`,
    );
    rounds.push(one);
  }
  generator.stop();
  await gateway.stop();
  primary.stop();
  shadow.stop();
  return rounds;
}

function configOf(primary: number, shadow: number): Readonly<Record<string, unknown>> {
  const backend = (port: number): object => ({
    kind: 'http',
    endpoints: [`http://127.0.0.1:${port}`],
    model: 'timed',
    maxConnections: 1_024,
  });
  const stable = { name: 'v1', role: 'stable', backend: backend(primary) };
  return {
    workers: 1,
    tenants: [
      {
        id: TENANT.id,
        rate: { requestsPerSecond: 1_000_000, burst: 1_000_000 },
        maxInFlight: 4_096,
        keys: [{ id: TENANT.keyId, secret: { generate: true } }],
      },
    ],
    models: {
      [PLAIN]: { variants: [stable] },
      [SHADOWED]: { variants: [stable, { name: 'dark', role: 'shadow', weight: 100, backend: backend(shadow) }] },
    },
    shadow: { maxInFlight: SERVERS, maxQueued: 1_024 },
    telemetry: { accessLog: false },
  };
}

interface Ratios {
  /** On over the mean of both without. */
  readonly shadow: RatioInterval;
  /** One without over the other. */
  readonly noise: RatioInterval;
}

function ratioOf(rounds: readonly ShadowRound[], at: 'p50' | 'p99'): Ratios {
  const of = ({ reports }: ShadowRound, arm: (typeof ARMS)[number]): number => reports[arm].admittedMs[at];
  const plain = (round: ShadowRound): number => Math.sqrt(of(round, 'off') * of(round, 'again'));
  return {
    shadow: bootstrapRatio(
      rounds.map((round) => of(round, 'on') / plain(round)),
      randomNumbers(SEED),
    ),
    noise: bootstrapRatio(
      rounds.map((round) => of(round, 'again') / of(round, 'off')),
      randomNumbers(SEED),
    ),
  };
}

function tableOf(rounds: readonly ShadowRound[]): string {
  const head = ['round', ...ARMS.flatMap((arm) => [`${arm} p50`, `p99 ms`]), 'copied %', 'bad', 'gen CPU %'];
  const rows = rounds.map(({ reports, copied }, i) => [
    String(i + 1),
    ...ARMS.flatMap((arm) => [reports[arm].admittedMs.p50.toFixed(2), reports[arm].admittedMs.p99.toFixed(2)]),
    (copied * 100).toFixed(1),
    String(ARMS.reduce((sum, arm) => sum + reports[arm].offered - reports[arm].good, 0)),
    Math.max(...ARMS.map((arm) => reports[arm].cpuPercent)).toFixed(0),
  ]);
  return table(head, rows);
}

function intervalText({ ratio, low, high }: RatioInterval): string {
  return `${ratio.toFixed(3)} (95 %: ${low.toFixed(3)} to ${high.toFixed(3)})`;
}

function summaryOf({ p50, p99 }: { readonly p50: Ratios; readonly p99: Ratios }): string {
  return [
    `p99 with a shadow of all requests, as a multiple of that without: ${intervalText(p99.shadow)}; without over without: ${intervalText(p99.noise)}`,
    `p50: ${intervalText(p50.shadow)}; without over without: ${intervalText(p50.noise)}`,
  ].join('\n');
}

function warningOf(rounds: readonly ShadowRound[]): string {
  const poor = rounds.filter(({ copied }) => copied < LEAST_COPIED).length;
  return poor === 0
    ? 'Every round had its copies.'
    : `In ${poor} rounds the shadow was asked too seldom: their ratio is too good.`;
}

function docsLine({ p99 }: { readonly p99: Ratios }, rounds: number, rate: number): string {
  return `| shadow at 100 %, ${rate} requests a second, ${rounds} rounds | ${intervalText(p99.shadow)} | ${intervalText(p99.noise)} |`;
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toFixed(4)) : value;
}
