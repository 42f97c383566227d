import type { Timing } from '../../../core/timing.ts';
import { H2Error } from '../h2-error.ts';
import type { ServerStream, StreamHome } from './server-stream.ts';

/** Looked at so often; whoever has not ended his request at the second look is asked to stop. */
const LOOK_MS = 100;

/** Streams of one connection that have their answer while their client has not ended its side. One alarm for all of them, when there are any. */
export class Lingering {
  readonly #home: StreamHome;
  readonly #timing: Timing;
  readonly #ring = (): void => this.#look();
  #fresh: ServerStream[] = [];
  #seen: ServerStream[] = [];
  #disarm: (() => void) | null = null;

  constructor(home: StreamHome, timing: Timing) {
    this.#home = home;
    this.#timing = timing;
  }

  add(stream: ServerStream): void {
    this.#fresh.push(stream);
    this.#disarm ??= this.#timing.setAlarm(LOOK_MS, this.#ring);
  }

  stop(): void {
    this.#disarm?.();
    this.#disarm = null;
    this.#fresh = [];
    this.#seen = [];
  }

  #look(): void {
    this.#disarm = null;
    for (const stream of this.#seen) {
      if (stream.isAnswered) this.#home.reset(stream, H2Error.None);
      else this.#fresh.push(stream);
    }
    this.#seen = this.#fresh.filter(isThere);
    this.#fresh = [];
    if (this.#seen.length > 0) this.#disarm = this.#timing.setAlarm(LOOK_MS, this.#ring);
  }
}

const isThere = (stream: ServerStream): boolean => !stream.over;
