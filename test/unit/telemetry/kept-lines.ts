import { LineBytes } from '../../../src/telemetry/line-bytes.ts';
import type { LogDestination } from '../../../src/telemetry/log-destination.ts';

/** A destination that keeps its lines for a test to look at. */
export class KeptLines implements LogDestination {
  readonly linesDropped: number;
  text = '';
  flushes = 0;
  #room = new LineBytes(Buffer.alloc(0));

  constructor(linesDropped = 0) {
    this.linesDropped = linesDropped;
  }

  write(line: string): void {
    this.text += line;
  }

  /** Not a byte more than was asked for: a line that outgrows what it said it needs is cut, and no JSON. */
  room(bytes: number): LineBytes {
    this.#room = new LineBytes(Buffer.alloc(bytes));
    return this.#room;
  }

  added(): void {
    this.text += this.#room.bytes.toString('utf8', 0, this.#room.length);
  }

  flush(): Promise<void> {
    this.flushes++;
    return Promise.resolve();
  }

  get parsed(): Record<string, unknown>[] {
    return this.text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  }
}
