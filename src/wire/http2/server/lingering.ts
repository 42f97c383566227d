import { H2Error } from '../h2-error.ts';
import type { PlainStream } from './plain-stream.ts';
import type { StreamHome } from './server-stream.ts';

/** Requests that were not gRPC and have not ended: whoever goes on sending behind his answer is asked to stop. */
export class Lingering {
  readonly #home: StreamHome;
  #streams: PlainStream[] = [];

  constructor(home: StreamHome) {
    this.#home = home;
  }

  add(stream: PlainStream): void {
    this.#streams.push(stream);
  }

  /** Called once in a while. */
  look(): void {
    if (this.#streams.length === 0) return;
    const left: PlainStream[] = [];
    for (const stream of this.#streams) {
      if (!stream.over && stream.outstayed()) this.#home.reset(stream, H2Error.None);
      if (!stream.over) left.push(stream);
    }
    this.#streams = left;
  }
}
