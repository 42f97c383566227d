import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { FaultLane, HANG, type LaneFault, NO_FAULT } from './fault-lane.ts';

/** Towards the server, and back from it. */
export type Direction = 'request' | 'answer';

interface Line {
  readonly near: Socket;
  readonly far: Socket;
  readonly lanes: Readonly<Record<Direction, FaultLane>>;
}

const LISTEN_TRIES = 50;
const LISTEN_PAUSE_MS = 20;

/**
 * A TCP proxy on loopback in front of a server, in which a test makes things go wrong and well again while it runs.
 *
 *   client ── near ─ request lane → far ── server
 *                  ← answer lane ─
 */
export class FaultProxy {
  /** Connections ever. */
  connections = 0;
  port = 0;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #server: Server;
  readonly #open = new Set<Line>();
  readonly #faults: Record<Direction, LaneFault> = { request: NO_FAULT, answer: NO_FAULT };
  readonly #closedBytes: Record<Direction, number> = { request: 0, answer: 0 };
  #refusing = false;

  /** `target` is host:port, or a URL. */
  static async start(target: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    await proxy.#listen();
    return proxy;
  }

  private constructor(target: string) {
    const { hostname, port } = new URL(target.includes('://') ? target : `tcp://${target}`);
    this.#target = { host: hostname, port: Number(port) };
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#take(near));
  }

  /** host:port */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get openConnections(): number {
    return this.#open.size;
  }

  /** Bytes handed on in a direction, over all connections ever. */
  bytes(direction: Direction): number {
    let sum = this.#closedBytes[direction];
    for (const line of this.#open) sum += line.lanes[direction].passedBytes;
    return sum;
  }

  /** From now on, for the connections that are open and for those to come. */
  set(direction: Direction, fault: LaneFault): void {
    this.#faults[direction] = fault;
    for (const line of this.#open) line.lanes[direction].set(fault);
  }

  /** Connections stand, and nothing passes. */
  hang(): void {
    this.set('request', HANG);
    this.set('answer', HANG);
  }

  /** Resets every connection; new ones are taken. */
  resetAll(): void {
    for (const { near, far } of [...this.#open]) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  /** As when the server's process has died: connections are reset and the port is closed. */
  async refuse(): Promise<void> {
    if (this.#refusing) return;
    this.#refusing = true;
    const closed = new Promise<void>((done) => this.#server.close(() => done()));
    this.resetAll();
    await closed;
  }

  /** Everything passes again, and what had to wait passes now. */
  async heal(): Promise<void> {
    this.set('request', NO_FAULT);
    this.set('answer', NO_FAULT);
    if (!this.#refusing) return;
    this.#refusing = false;
    await this.#listen();
  }

  async close(): Promise<void> {
    await this.refuse();
  }

  async #listen(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#tryListen();
        return;
      } catch (error) {
        // Somebody's outgoing connection may have the port for a moment.
        if (tries === LISTEN_TRIES) throw error;
        await new Promise((done) => setTimeout(done, LISTEN_PAUSE_MS));
      }
    }
  }

  #tryListen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.port, '127.0.0.1', 4_096, () => {
        this.#server.off('error', reject);
        this.port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  #take(near: Socket): void {
    this.connections++;
    const far = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
    const lanes = {
      request: new FaultLane(near, far, this.#faults.request),
      answer: new FaultLane(far, near, this.#faults.answer),
    };
    const line = { near, far, lanes };
    this.#open.add(line);
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      end.on('error', () => other.resetAndDestroy());
      end.once('close', (hadError: boolean) => {
        // Both of its directions have ended well: what still waits for the other end is handed on.
        if (hadError || !end.readableEnded) other.destroy();
        if (near.closed && far.closed) this.#forget(line);
      });
    }
  }

  #forget(line: Line): void {
    if (!this.#open.delete(line)) return;
    for (const direction of ['request', 'answer'] as const) {
      line.lanes[direction].stop();
      this.#closedBytes[direction] += line.lanes[direction].passedBytes;
    }
  }
}
