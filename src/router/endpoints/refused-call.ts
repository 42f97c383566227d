import type { Call, CallSink } from '../../core/backend.ts';
import { Fault } from '../../core/faults.ts';

/** A call that no endpoint takes: over before it began, which its sink hears a moment later. */
export class RefusedCall implements Call {
  readonly endpoint = '';
  readonly #sink: CallSink;
  readonly #detail: string;
  readonly #retryAfterMs: number;
  #cancelled = false;

  constructor(sink: CallSink, detail: string, retryAfterMs: number) {
    this.#sink = sink;
    this.#detail = detail;
    this.#retryAfterMs = retryAfterMs;
    process.nextTick(tell, this);
  }

  cancel(): void {
    this.#cancelled = true;
  }

  resume(): void {}

  tell(): void {
    if (this.#cancelled) this.#sink.onFault(Fault.ClientGone, '', false, 0);
    else this.#sink.onFault(Fault.BackendUnreachable, this.#detail, false, this.#retryAfterMs);
    this.#sink.onClosed();
  }
}

function tell(call: RefusedCall): void {
  call.tell();
}
