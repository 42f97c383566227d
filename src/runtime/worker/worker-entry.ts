import type { Socket } from 'node:net';
import type { ToWorker, WorkerReport, WorkerStart } from '../ipc/messages.ts';
import { failureOf } from '../ipc/start-failure.ts';
import { execute } from './orders.ts';
import { PulseSender } from './pulse-sender.ts';
import { RemoteLeaseOffice } from './remote-lease-office.ts';
import { SupervisorLine } from './supervisor-line.ts';
import { WorkerGateway } from './worker-gateway.ts';

/** The main file of a worker process: does what its supervisor says, and ends with it. */

/** A native model run cannot be interrupted; a process that has said all it has to say does not wait for one. */
const LINGER_MS = 2_000;
const FAILED = 1;

const line = new SupervisorLine();
const leases = new RemoteLeaseOffice(line);
let gateway: WorkerGateway | null = null;
let pulses: PulseSender | null = null;
let ending = false;

process.on('message', (message, handle) => hear(message as ToWorker, (handle ?? null) as Socket | null));
// Whoever started us is gone, and nobody can be told anything: requests in flight end, and no others come.
process.on('disconnect', () => void endAlone());
process.on('uncaughtException', (error) => void crash('uncaught exception', error));
process.on('unhandledRejection', (reason) => void crash('unhandled rejection', reason));
// A terminal sends these to the whole group, and some init systems too. The supervisor decides what they mean.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('SIGHUP', () => undefined);

function hear(message: ToWorker, socket: Socket | null): void {
  switch (message.is) {
    case 'start':
      void begin(message.start);
      return;
    case 'socket':
      line.took();
      // Null when its client has left meanwhile.
      if (socket !== null) gateway!.take(message.face, socket);
      return;
    case 'lease-grant':
    case 'lease-recall':
      leases.hear(message);
      return;
    case 'order':
      void obey(message);
      return;
    default:
      message satisfies never;
  }
}

async function begin(start: WorkerStart): Promise<void> {
  try {
    gateway = new WorkerGateway(start, leases, () => pulses?.pulse());
    pulses = new PulseSender(gateway, line);
    await gateway.warm();
  } catch (error) {
    await line.sayLast({ is: 'failed', failure: failureOf(error) });
    process.exit(FAILED);
  }
  line.say({ is: 'up' });
}

async function obey({ id, name, takes }: ToWorker & { is: 'order' }): Promise<void> {
  try {
    const gives = await execute(gateway!, name, takes);
    if (name === 'drain') await end(id, gives as WorkerReport);
    else line.say({ is: 'reply', id, gives });
  } catch (error) {
    line.say({ is: 'refusal', id, problem: (error as Error).message });
  }
}

/** After the drain. The reply is the last that is said, so that no figure is lost. */
async function end(id: number, gives: WorkerReport): Promise<void> {
  ending = true;
  pulses!.stop();
  gateway!.log.info('worker stopped', { pid: process.pid });
  await gateway!.log.flush();
  await line.sayLast({ is: 'reply', id, gives });
  if (process.connected) process.disconnect();
  setTimeout(() => process.exit(), LINGER_MS).unref();
}

async function endAlone(): Promise<void> {
  if (ending) return;
  ending = true;
  if (gateway === null) process.exit(FAILED);
  gateway.log.error('the supervisor is gone', { pid: process.pid });
  await gateway.drain();
  await gateway.log.flush();
  process.exit(FAILED);
}

/** Nobody knows what state an uncaught error has left: this process ends, and another takes its place. */
async function crash(what: string, thrown: unknown): Promise<void> {
  if (ending) process.exit(FAILED);
  ending = true;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  gateway?.log.error(what, { pid: process.pid, err: error });
  if (gateway !== null) line.say({ is: 'report', report: await gateway.counters() });
  await line.sayLast({ is: 'crashed', problem: `${what}: ${error.message}` });
  await gateway?.log.flush();
  process.exit(FAILED);
}
