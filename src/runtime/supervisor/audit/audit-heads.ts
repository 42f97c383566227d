import type { AuditReader } from '../../../core/audit.ts';
import type { Log } from '../../../telemetry/access-log.ts';

/** Between two looks; what is cut off a file within it, with the gateway ended at once, leaves no trace elsewhere. */
const LOOK_MS = 60_000;

/** Says the head of the audit record in the log, within a minute of each change and at the end, so that a cut end can be told from logs. */
export class AuditHeads {
  readonly #audit: AuditReader;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  #told = '';

  constructor(audit: AuditReader, log: Log) {
    this.#audit = audit;
    this.#log = log;
    this.#tell();
    this.#timer = setInterval(() => this.#tell(), LOOK_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#tell();
  }

  #tell(): void {
    const { seq, hash } = this.#audit.head;
    if (hash === this.#told) return;
    this.#told = hash;
    this.#log.info('audit head', { seq, hash });
  }
}
