/**
 * What a unary call costs the gRPC server alone: the engine of our own against the package, each in a process of its own, asked by the
 * client of our own. Rounds alternate; the median of each counts.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Companion } from './companion.ts';
import { readCpuTime } from './cpu-time.ts';
import type { ClientReport } from './grpc-client-side.ts';
import { pin } from './pinning.ts';

const ENGINES = ['own', 'grpc-js'] as const;
const ROUNDS = 5;
const IN_FLIGHT = 64;
const MESSAGE_BYTES = 512;
/** Enough of each that a round lasts about a second. */
const CALLS = { own: 60_000, 'grpc-js': 10_000 } as const;
const MOST_RATIO = 0.2;

interface Side {
  readonly engine: (typeof ENGINES)[number];
  readonly server: Companion;
  readonly client: ChildProcess;
  readonly costs: number[];
  offered: number;
}

const pinning = pin();
const message = randomBytes(MESSAGE_BYTES).toString('base64');
const sides: Side[] = [];
for (const engine of ENGINES) {
  const server = await Companion.start('./grpc-echo-server.ts', { launcher: pinning.server, answers: { engine } });
  sides.push({ engine, server, client: startClient(), costs: [], offered: 0 });
}
// The first round of each warms it up.
for (let round = 0; round <= ROUNDS; round++) for (const side of sides) await run(side, round);
for (const { engine, server, offered } of sides) {
  const counted = await server.count();
  if (counted !== offered) throw new Error(`The server on ${engine} has answered ${counted} calls; expected ${offered}.`);
}
const [own, peer] = sides.map(({ costs }) => costs.toSorted((a, b) => a - b)[costs.length >> 1]!);
const ratio = own! / peer!;
console.log(`own ${own!.toFixed(2)} us, grpc-js ${peer!.toFixed(2)} us, ratio ${ratio.toFixed(3)} (limit ${MOST_RATIO})`);
for (const { client, server } of sides) {
  client.disconnect();
  server.stop();
}
process.exitCode = ratio <= MOST_RATIO ? 0 : 1;

async function run(side: Side, round: number): Promise<void> {
  const { engine, server, client, costs } = side;
  const calls = CALLS[engine];
  side.offered += calls;
  const before = readCpuTime(server.pid, -1).processUs;
  const report = await ask(client, server.port, calls);
  const cpuUs = (readCpuTime(server.pid, -1).processUs - before) / calls;
  if (report.wrong > 0) throw new Error(`${report.wrong} of ${calls} answers of ${engine} were wrong; expected none.`);
  if (round > 0) costs.push(cpuUs);
  const perSecond = Math.round(calls / (report.elapsedMs / 1_000));
  const name = round === 0 ? 'warm-up' : `round ${round}`;
  console.log(`${name} ${engine.padEnd(8)} ${cpuUs.toFixed(2).padStart(7)} us a call ${perSecond} a second`);
}

function startClient(): ChildProcess {
  const file = fileURLToPath(new URL('./grpc-client-side.ts', import.meta.url));
  const [command, ...args] = [...pinning.load, process.execPath, file];
  return spawn(command!, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

function ask(client: ChildProcess, port: number, calls: number): Promise<ClientReport> {
  return new Promise((resolve, reject) => {
    const fail = (): void => reject(new Error('A client has ended before its round.'));
    client.once('exit', fail);
    client.once('message', (report) => {
      client.off('exit', fail);
      resolve(report as ClientReport);
    });
    client.send({ engine: 'own', address: `127.0.0.1:${port}`, calls, inFlight: IN_FLIGHT, question: message, answer: message });
  });
}
