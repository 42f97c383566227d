/** TCP between the callers and the gateway, so that connections can be killed as networks kill them. */

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

interface Line {
  readonly near: Socket;
  readonly far: Socket;
}

export class Relay {
  killed = 0;
  readonly #server: Server;
  readonly #lines = new Set<Line>();

  static async start(port: number): Promise<Relay> {
    const relay = new Relay(port);
    await new Promise<void>((done) => relay.#server.listen(0, '127.0.0.1', done));
    return relay;
  }

  private constructor(port: number) {
    this.#server = createServer({ noDelay: true }, (near) => this.#take(near, port));
  }

  /** host:port */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resets so many of the connections. */
  kill(count: number, random: () => number): void {
    const lines = [...this.#lines];
    for (let i = 0; i < count && lines.length > 0; i++) {
      const [line] = lines.splice(Math.floor(random() * lines.length), 1);
      line!.near.resetAndDestroy();
      line!.far.resetAndDestroy();
      this.killed++;
    }
  }

  close(): Promise<void> {
    for (const { near, far } of this.#lines) {
      near.destroy();
      far.destroy();
    }
    return new Promise((done) => this.#server.close(() => done()));
  }

  #take(near: Socket, port: number): void {
    const far = connect({ port, host: '127.0.0.1', noDelay: true });
    const line = { near, far };
    this.#lines.add(line);
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      end.on('error', () => other.destroy());
      end.once('close', () => {
        other.destroy();
        this.#lines.delete(line);
      });
      end.pipe(other);
    }
  }
}
