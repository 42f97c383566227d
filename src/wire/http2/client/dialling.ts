import type { Socket } from 'node:net';
import { ClientConnection, type ConnectionOwner } from './client-connection.ts';
import { type DialListener, type DialTarget, dial } from './dial.ts';
import { unspokenReason } from './dial-reason.ts';

export interface DiallingOwner extends ConnectionOwner {
  /** The try has failed. */
  onUndialled(reason: string): void;
}

/** One try to connect: it is over when the server has spoken HTTP/2, or when it has not for too long. Then it carries the bytes. */
export class Dialling implements DialListener, ConnectionOwner {
  readonly heads: ConnectionOwner['heads'];
  readonly rules: ConnectionOwner['rules'];
  readonly timing: ConnectionOwner['timing'];
  readonly #owner: DiallingOwner;
  readonly #keepAliveMs: number;
  readonly #secure: boolean;
  readonly #socket: Socket;
  #connection: ClientConnection | null = null;
  #disarm: (() => void) | null;
  #over = false;

  constructor(owner: DiallingOwner, target: DialTarget, timeoutMs: number, keepAliveMs: number) {
    this.heads = owner.heads;
    this.rules = owner.rules;
    this.timing = owner.timing;
    this.#owner = owner;
    this.#keepAliveMs = keepAliveMs;
    this.#secure = target.secure !== null;
    this.#socket = dial(target, this);
    this.#disarm = this.timing.setAlarm(timeoutMs, () => this.#fail(`No connection within ${timeoutMs} ms.`));
  }

  /** Nobody wants it any more. */
  abandon(): void {
    this.#fail('The channel is closed.');
  }

  onConnect(): void {
    if (this.#over) return;
    this.#connection = new ClientConnection(this, this.#socket, this.#keepAliveMs);
  }

  onRead(chunk: Buffer, bytes: number): void {
    this.#connection?.read(chunk, bytes);
  }

  onDrain(): void {
    this.#connection?.drained();
  }

  onClose(reason: string): void {
    if (this.#connection === null) this.#fail(reason);
    else this.#connection.lost(this.#over ? `Connection lost: ${reason}` : unspokenReason(reason, this.#secure));
  }

  onOpen(connection: ClientConnection): void {
    this.#end();
    this.#owner.onOpen(connection);
  }

  onRoom(connection: ClientConnection): void {
    this.#owner.onRoom(connection);
  }

  onDraining(connection: ClientConnection): void {
    this.#owner.onDraining(connection);
  }

  onTooManyPings(): void {
    this.#owner.onTooManyPings();
  }

  onLost(connection: ClientConnection, reason: string): void {
    if (this.#over) this.#owner.onLost(connection, reason);
    else this.#fail(reason);
  }

  #fail(reason: string): void {
    if (this.#over) return;
    this.#end();
    this.#socket.destroy();
    this.#owner.onUndialled(reason);
  }

  #end(): void {
    this.#over = true;
    this.#disarm?.();
    this.#disarm = null;
  }
}
