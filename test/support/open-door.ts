import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Listener } from '../../src/core/exchange.ts';

/** A port on loopback whose connections go to one listener, as the supervisor hands them to a worker. */
export interface OpenDoor {
  readonly port: number;
  /** Closes the port, then drains the listener. */
  drain(graceMs: number, idleMs?: number): Promise<void>;
}

export async function openDoor(listener: Listener<Socket>): Promise<OpenDoor> {
  const server = createServer({ noDelay: true }, (socket) => listener.adopt(socket));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as AddressInfo).port,
    drain: (graceMs, idleMs = 0) => {
      server.close();
      return listener.drain({ graceMs, idleMs });
    },
  };
}
