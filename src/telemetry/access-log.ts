import pino from 'pino';
import type { Config } from '../config/schema.ts';
import type { RequestContext } from '../core/context.ts';
import { type LineLevel, levelOf, MAX_LINE_BYTES, writeAccessLine } from './access-line.ts';
import { BufferedDestination, type LogDestination } from './log-destination.ts';
import type { RequestKind } from './request-kind.ts';

export type LogLevel = Config['telemetry']['logLevel'];

/** Data beside a message. `err` takes whatever was thrown. Never bodies, keys or prompts. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The log of this process: a fixed message with its data in fields, and one line for each request. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The access line of a request that has ended. */
  request(ctx: RequestContext, kind: RequestKind, durationUs: number, wallMs: number): void;
  /** Lines lost because they could not be written fast enough. */
  readonly linesDropped: number;
  /** Resolves when all lines have left this process, or after a bounded wait. Never rejects. */
  flush(): Promise<void>;
}

const STDOUT = 1;
const NO_FIELDS: LogFields = Object.freeze({});

/** Opens the log on standard output, or on another destination. `marks` stand in each line that is no request's. */
export function createLog(
  level: LogLevel,
  destination: LogDestination = new BufferedDestination(STDOUT),
  marks: LogFields | null = null,
): Log {
  return new JsonLog(level, destination, marks);
}

/** JSON lines: the rare ones by pino, and those of requests as `writeAccessLine` makes them. */
class JsonLog implements Log {
  readonly #pino: pino.Logger;
  readonly #destination: LogDestination;
  readonly #enabled: Readonly<Record<LineLevel, boolean>>;

  constructor(level: LogLevel, destination: LogDestination, marks: LogFields | null) {
    this.#destination = destination;
    this.#pino = pino({ level, base: marks, formatters: { level: (label) => ({ level: label }) } }, destination);
    this.#enabled = {
      debug: this.#pino.isLevelEnabled('debug'),
      info: this.#pino.isLevelEnabled('info'),
      warn: this.#pino.isLevelEnabled('warn'),
      error: this.#pino.isLevelEnabled('error'),
    };
  }

  get linesDropped(): number {
    return this.#destination.linesDropped;
  }

  debug(message: string, fields = NO_FIELDS): void {
    this.#pino.debug(fields, message);
  }

  info(message: string, fields = NO_FIELDS): void {
    this.#pino.info(fields, message);
  }

  warn(message: string, fields = NO_FIELDS): void {
    this.#pino.warn(fields, message);
  }

  error(message: string, fields = NO_FIELDS): void {
    this.#pino.error(fields, message);
  }

  /** @hot */
  request(ctx: RequestContext, kind: RequestKind, durationUs: number, wallMs: number): void {
    if (!this.#enabled[levelOf(ctx)]) return;
    const room = this.#destination.room(MAX_LINE_BYTES + kind.line.length);
    if (room === null) return;
    writeAccessLine(room, ctx, kind, durationUs, wallMs);
    this.#destination.added();
  }

  flush(): Promise<void> {
    return this.#destination.flush();
  }
}
