import type { Config } from '../../config/schema.ts';
import type { Face } from '../ipc/messages.ts';
import { type Address, Door, type DoorEvents } from './door.ts';

const FACES: readonly Face[] = ['http', 'grpc'];

/** Connections that both ports take at the same time. */
export const maxConnections = ({ http, grpc }: Config['listen']): number => http.maxConnections + grpc.maxConnections;

/** Doors that a changed config asks for, open already. */
export interface DoorChange {
  /** The old ones close. */
  keep(): void;
  /** The new ones close. */
  drop(): void;
}

/** The ports of both faces. */
export class Doors {
  readonly #events: DoorEvents;
  readonly #open = new Map<Face, Door>();

  constructor(events: DoorEvents) {
    this.#events = events;
  }

  /** Resolves with the ports really bound. Rejects where one cannot be opened, and none is open then. */
  async open(listen: Config['listen']): Promise<{ http: number; grpc: number }> {
    try {
      return { http: await this.#openOne('http', listen.http), grpc: await this.#openOne('grpc', listen.grpc) };
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Opens the doors whose address has changed. Rejects where one cannot be opened; nothing has changed then. */
  async prepare(listen: Config['listen']): Promise<DoorChange> {
    const fresh = FACES.filter((face) => !isSame(this.#open.get(face)!.address, listen[face])).map(
      (face) => new Door(face, listen[face], this.#events),
    );
    const opened: Door[] = [];
    const drop = (): void => {
      for (const door of opened) door.close();
    };
    try {
      for (const door of fresh) {
        await door.open();
        opened.push(door);
      }
    } catch (error) {
      drop();
      throw error;
    }
    const keep = (): void => {
      for (const door of opened) {
        this.#open.get(door.face)!.close();
        this.#open.set(door.face, door);
      }
    };
    return { keep, drop };
  }

  close(): void {
    for (const door of this.#open.values()) door.close();
    this.#open.clear();
  }

  async #openOne(face: Face, address: Address): Promise<number> {
    const door = new Door(face, address, this.#events);
    const port = await door.open();
    this.#open.set(face, door);
    return port;
  }
}

const isSame = (a: Address, b: Address): boolean => a.host === b.host && a.port === b.port;
