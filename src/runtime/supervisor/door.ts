import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Face } from '../ipc/messages.ts';

/** Where a face listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface DoorEvents {
  /** A connection of which nothing has been read. */
  connected(face: Face, socket: Socket): void;
  /** The system would not accept one, as when file descriptors run out. */
  refused(face: Face): void;
}

/** A port: it belongs to the supervisor, so that it stays open whatever becomes of the workers, and no connection is refused meanwhile. */
export class Door {
  readonly face: Face;
  readonly address: Address;
  readonly #server: Server;
  readonly #events: DoorEvents;

  constructor(face: Face, address: Address, events: DoorEvents) {
    this.face = face;
    this.address = address;
    this.#events = events;
    // Paused: a byte that was read here would be lost to the worker.
    this.#server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
      // It may be reset while it waits for a worker.
      socket.on('error', () => socket.destroy());
      events.connected(face, socket);
    });
  }

  /** Resolves with the port really bound. Rejects with a message that says what to do. */
  open(): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const refused = (error: NodeJS.ErrnoException): void => reject(new Error(this.#explain(error), { cause: error }));
    this.#server.once('error', refused);
    this.#server.listen({ host: this.address.host, port: this.address.port }, () => {
      this.#server.off('error', refused);
      // Without a listener, running out of file descriptors would end the process.
      this.#server.on('error', () => this.#events.refused(this.face));
      resolve((this.#server.address() as AddressInfo).port);
    });
    return promise;
  }

  /** Takes no new connections. Those handed over live on. */
  close(): void {
    this.#server.close();
  }

  #explain(error: NodeJS.ErrnoException): string {
    const { host, port } = this.address;
    const key = `listen.${this.face}`;
    const what = this.face === 'http' ? 'HTTP' : 'gRPC';
    const text = `Cannot listen for ${what} on ${host.includes(':') ? `[${host}]` : host}:${port}: `;
    switch (error.code) {
      case 'EADDRINUSE':
        return `${text}another process holds it. Stop that process, or set ${key}.port to another port (0 takes a free one).`;
      case 'EACCES':
        return `${text}the system does not allow it. Ports below 1024 need a privilege; set ${key}.port to a higher one.`;
      case 'EADDRNOTAVAIL':
      case 'ENOTFOUND':
        return `${text}this machine has no such address. Set ${key}.host to one of its own, or to 0.0.0.0 for all.`;
      default:
        return `${text}${error.message}. Set ${key}.host and ${key}.port to an address that is free.`;
    }
  }
}
