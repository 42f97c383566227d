/**
 * What a unary call costs the gRPC client alone: the engine of our own against the package, each in a process of its own, against one server
 * that costs next to nothing. Rounds alternate; the median of each counts.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Companion } from './companion.ts';
import type { ClientOrder, ClientReport } from './grpc-client-side.ts';
import { pin } from './pinning.ts';

const ENGINES = ['own', 'grpc-js'] as const;
const ROUNDS = 5;
const IN_FLIGHT = 64;
const QUESTION_BYTES = 512;
const ANSWER_BYTES = 256;
/** Enough of each that a round lasts about half a second. */
const CALLS = { own: 60_000, 'grpc-js': 6_000 } as const;
const MOST_RATIO = 0.1;

const pinning = pin();
const question = randomBytes(QUESTION_BYTES).toString('base64');
const answer = randomBytes(ANSWER_BYTES);
const framed = Buffer.concat([Buffer.alloc(5), answer]);
framed.writeUInt32BE(answer.length, 1);

const server = await Companion.start('./fixed-h2-server.ts', {
  launcher: pinning.load,
  answers: { answer: framed.toString('base64') },
});
const clients = new Map(ENGINES.map((engine) => [engine, startClient()]));
const costs = new Map<string, number[]>(ENGINES.map((engine) => [engine, []]));
let offered = 0;

// The first round of each warms it up.
for (let round = 0; round <= ROUNDS; round++) {
  for (const engine of ENGINES) {
    const calls = CALLS[engine];
    offered += calls;
    const address = `127.0.0.1:${server.port}`;
    const report = await order(clients.get(engine)!, {
      engine,
      address,
      calls,
      inFlight: IN_FLIGHT,
      question,
      answer: answer.toString('base64'),
    });
    if (report.wrong > 0) throw new Error(`${report.wrong} of ${calls} answers of ${engine} were wrong; expected none.`);
    const cpuUs = report.cpuUs / calls;
    if (round > 0) costs.get(engine)!.push(cpuUs);
    const perSecond = Math.round(calls / (report.elapsedMs / 1_000));
    console.log(
      `${round === 0 ? 'warm-up' : `round ${round}`} ${engine.padEnd(8)} ${cpuUs.toFixed(2).padStart(7)} us a call ${perSecond} a second`,
    );
  }
}
const counted = await server.count();
if (counted !== offered) throw new Error(`The server has answered ${counted} calls; expected ${offered}.`);
const [own, peer] = ENGINES.map((engine) => median(costs.get(engine)!));
const ratio = own! / peer!;
console.log(`own ${own!.toFixed(2)} us, grpc-js ${peer!.toFixed(2)} us, ratio ${ratio.toFixed(3)} (limit ${MOST_RATIO})`);
for (const client of clients.values()) client.disconnect();
server.stop();
process.exitCode = ratio <= MOST_RATIO ? 0 : 1;

function startClient(): ChildProcess {
  const file = fileURLToPath(new URL('./grpc-client-side.ts', import.meta.url));
  const [command, ...args] = [...pinning.server, process.execPath, file];
  return spawn(command!, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

function order(client: ChildProcess, what: ClientOrder): Promise<ClientReport> {
  return new Promise((resolve, reject) => {
    const fail = (): void => reject(new Error('A client has ended before its round.'));
    client.once('exit', fail);
    client.once('message', (report) => {
      client.off('exit', fail);
      resolve(report as ClientReport);
    });
    client.send(what);
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
