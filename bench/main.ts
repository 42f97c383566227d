/** `npm run bench`: what a request costs in the gateway, beside what it costs in a server that does nothing but answer. */

import { readWorkers } from '../scripts/demo/admin-reader.ts';
import { SluiceProcess } from '../scripts/demo/sluice-process.ts';
import { untilReady } from '../scripts/demo/until-ready.ts';
import { benchConfig, modelFor, TENANT } from './bench-config.ts';
import { type BodyName, questions as makeQuestions } from './bodies.ts';
import { type BenchCase, gatewayCases, nameOf, peerCases } from './cases.ts';
import { Companion } from './companion.ts';
import { readMachine, readSoftware } from './machine.ts';
import { type BenchRow, measure } from './measure.ts';
import { type BenchOptions, readOptions } from './options.ts';
import { type Pinning, pin } from './pinning.ts';
import { restLoad } from './rest-load.ts';
import { describe, disturbance, resultsOf, resultTable, save } from './results.ts';

const SIGNAL_EXIT = 130;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(SIGNAL_EXIT));

try {
  process.exitCode = await bench(readOptions(process.argv.slice(2)));
} catch (error) {
  console.error(`The benchmark failed: ${(error as Error).message}`);
  // Whatever still runs is ended on the way out.
  process.exit(1);
}

async function bench(options: BenchOptions): Promise<number> {
  const machine = readMachine();
  const pinning = pin();
  const rows = await measureAll(options, pinning);
  const results = resultsOf(machine, readSoftware(), pinningText(pinning), rows);
  console.log(`\n${describe(results)}\n\n${resultTable(rows)}\n`);
  const disturbed = disturbance(rows);
  if (disturbed !== '') console.log(`${disturbed}\n`);
  console.log(`Written to ${save(results, options.name)}`);
  return rows.some((row) => row.voided !== '') ? 1 : 0;
}

async function measureAll(options: BenchOptions, pinning: Pinning): Promise<BenchRow[]> {
  const questions = makeQuestions();
  const backend = await Companion.start('./fixed-oip-server.ts', { launcher: pinning.load, answers: {} });
  const config = benchConfig(`127.0.0.1:${backend.port}`);
  const gateway = await SluiceProcess.start({ name: 'the gateway under test', config, launcher: pinning.server });
  await Promise.race([untilReady(gateway), gateway.died]);
  const answers = await answersOf(gateway, questions);
  const [worker] = await readWorkers(gateway);
  const cases = gatewayCases(gateway, worker!.pid, questions);
  const gatewayRows = await Promise.race([measureEach(cases, options, pinning), gateway.died]);
  await gateway.stop();
  // The peers come when the core is free again.
  const http = await Companion.start('./fixed-http-server.ts', { launcher: pinning.server, answers });
  const oip = await Companion.start('./fixed-oip-server.ts', { launcher: pinning.server, answers: {} });
  const peerRows = await measureEach(peerCases(http, oip, questions), options, pinning);
  for (const companion of [backend, http, oip]) companion.stop();
  return [...gatewayRows, ...peerRows];
}

async function measureEach(cases: readonly BenchCase[], options: BenchOptions, pinning: Pinning): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const each of cases) {
    if (!nameOf(each).includes(options.only)) continue;
    const row = await measure(each, { seconds: options.seconds, core: pinning.serverCore });
    console.log(`${row.name}: ${row.perSecond.toFixed(0)} a second${row.voided === '' ? '' : `, void: ${row.voided}`}`);
    rows.push(row);
  }
  return rows;
}

/** What the gateway answers to each question, for the peer to answer the same. */
async function answersOf(gateway: SluiceProcess, questions: ReturnType<typeof makeQuestions>): Promise<Record<string, string>> {
  const authorization = `Bearer ${gateway.key(TENANT.id, TENANT.keyId)}`;
  const answer = async (body: BodyName): Promise<[string, string]> => {
    const url = `${gateway.httpUrl}/v2/models/${modelFor('grpc', body)}/infer`;
    const headers = { 'content-type': 'application/json', authorization };
    return [`/${body}`, (await restLoad({ url, headers, body: questions[body].json })).answer];
  };
  return Object.fromEntries([await answer('small'), await answer('digit')]);
}

function pinningText({ serverCore, loadCore }: Pinning): string {
  if (serverCore < 0) return 'Nothing is pinned to a core (no taskset, or one core alone).';
  return `Server under test on core ${serverCore}, load and backend on core ${loadCore}.`;
}
