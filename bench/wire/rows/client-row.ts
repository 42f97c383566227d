/**
 * What a unary call costs the gRPC client alone: the engine of our own against the package, each in a process of its own, against one server
 * that costs next to nothing.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Companion } from '../../companion.ts';
import type { ClientOrder, ClientReport } from '../../grpc-client-side.ts';
import { framed } from '../fixed-answers.ts';
import { ENGINES, type Engine } from '../options.ts';
import { alternate, type Row, type RowResult, resultOf, type Side, VoidRow, type WireRun } from '../row.ts';

export const CLIENT_ROW: Row = { id: 'client', run: compare };

const IN_FLIGHT = 64;
const QUESTION_BYTES = 512;
const ANSWER_BYTES = 256;
/** Of the calls of a round: what is measured is small, and the package takes some twenty times as long. */
const SHARE: Readonly<Record<Engine, number>> = { own: 2, 'grpc-js': 0.2 };

interface Client extends Side {
  readonly process: ChildProcess;
  offered: number;
}

async function compare(run: WireRun): Promise<readonly RowResult[]> {
  const answer = randomBytes(ANSWER_BYTES);
  const answers = { answer: Buffer.from(framed(answer)).toString('base64') };
  const server = await Companion.start('./fixed-h2-server.ts', { launcher: run.pinning.load, answers });
  const question = randomBytes(QUESTION_BYTES).toString('base64');
  const order = { address: `127.0.0.1:${server.port}`, inFlight: IN_FLIGHT, question, answer: answer.toString('base64') };
  const clients = ENGINES.map((engine) => startClient(run, { ...order, engine, calls: Math.ceil(run.calls * SHARE[engine]) }));
  try {
    const [ours, theirs] = await alternate(run, clients);
    const offered = clients.reduce((sum, each) => sum + each.offered, 0);
    const counted = await server.count();
    if (counted !== offered) throw new VoidRow(`offered ${offered} calls; the server counts ${counted}`);
    const about = { id: 'client', name: 'gRPC client alone, 64 in flight', engine: 'own', peerName: '@grpc/grpc-js' };
    return [resultOf({ ...about, limit: 0.1, aim: 0.04 }, ours!, theirs!)];
  } finally {
    for (const client of clients) client.process.disconnect();
    server.stop();
  }
}

function startClient(run: WireRun, order: ClientOrder): Client {
  const file = fileURLToPath(new URL('../../grpc-client-side.ts', import.meta.url));
  const [command, ...args] = [...run.pinning.server, process.execPath, file];
  const child = spawn(command!, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const client: Client = {
    process: child,
    offered: 0,
    measure: async () => {
      client.offered += order.calls;
      const { cpuUs, wrong } = await ask(child, order);
      if (wrong > 0) throw new VoidRow(`${wrong} of ${order.calls} answers to ${order.engine} were wrong`);
      return cpuUs / order.calls;
    },
  };
  return client;
}

function ask(client: ChildProcess, order: ClientOrder): Promise<ClientReport> {
  return new Promise((resolve, reject) => {
    const fail = (): void => reject(new Error('A client has ended before its round.'));
    client.once('exit', fail);
    client.once('message', (report) => {
      client.off('exit', fail);
      resolve(report as ClientReport);
    });
    client.send(order);
  });
}
