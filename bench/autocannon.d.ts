/** As much of autocannon as the benchmark uses; the package brings no types. */

declare module 'autocannon' {
  import type { EventEmitter } from 'node:events';

  interface Options {
    readonly url: string;
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
    /** Requests in all; the run ends with the last answer. */
    readonly amount: number;
    readonly connections: number;
    /** The body that every answer must have. */
    readonly expectBody: string;
    /** Milliseconds between looks at whether the run has ended. */
    readonly sampleInt: number;
    /** Seconds. */
    readonly timeout: number;
  }

  interface Result {
    readonly '2xx': number;
    readonly non2xx: number;
    /** Broken connections, and requests that timed out. */
    readonly errors: number;
    readonly mismatches: number;
  }

  function autocannon(options: Options, done: (error: Error | null, result: Result) => void): EventEmitter;
  export = autocannon;
}
