import type { Call, CallSink } from '../../core/backend.ts';
import type { Clock } from '../../core/clock.ts';
import { Fault, type FaultKind } from '../../core/faults.ts';
import type { InferenceRequest } from '../../core/inference.ts';
import type { Rostered } from '../../core/roster.ts';
import type { HttpAnswer, HttpCall, HttpEnd, HttpSink } from '../../wire/http/http-sink.ts';
import { retryAfterMs } from '../../wire/http/retry-after.ts';
import { readErrorText } from '../../wire/oip-rest/metadata.ts';
import { hasNoExplain } from '../../wire/v1-rest/explain-response.ts';
import { quotedText } from '../grpc/status-fault.ts';
import { NO_EXPLAIN } from '../no-explain.ts';
import { faultOfEnd, faultOfStatus } from './answer-fault.ts';
import type { Dialect } from './dialect.ts';

/** Who began a call and wants to know when it is over. */
export interface CallOwner {
  readonly clock: Clock;
  readonly target: string;
  ended(call: PredictCall): void;
}

/** One prediction on its way: turns the end of an HTTP exchange into what the sink of a backend hears. */
export class PredictCall implements Call, HttpSink, Rostered {
  rosterAt = -1;
  readonly endpoint: string;
  readonly #owner: CallOwner;
  readonly #sink: CallSink;
  readonly #startedUs: number;
  #dialect: Dialect | null = null;
  #request: InferenceRequest | null = null;
  #exchange: HttpCall | null = null;
  #cancelled = false;

  constructor(owner: CallOwner, sink: CallSink) {
    this.endpoint = owner.target;
    this.#owner = owner;
    this.#sink = sink;
    this.#startedUs = owner.clock.nowUs();
  }

  begin(exchange: HttpCall, dialect: Dialect, request: InferenceRequest): void {
    this.#exchange = exchange;
    this.#dialect = dialect;
    this.#request = request;
  }

  /** Ends a call that was never sent; the sink hears of it later. */
  refuse(kind: FaultKind, detail: string): void {
    process.nextTick(endRefused, this, kind, detail);
  }

  endRefused(kind: FaultKind, detail: string): void {
    if (this.#cancelled) this.#fault(Fault.ClientGone, '', false);
    else this.#fault(kind, detail, false);
  }

  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#exchange?.cancel();
  }

  /** An exchange has one answer. */
  resume(): void {}

  onAnswer(answer: HttpAnswer): void {
    if (this.#cancelled) this.#fault(Fault.ClientGone, '', true);
    else if (answer.status !== 200) this.#refused(answer);
    else this.#answered(answer);
  }

  onEnd(end: HttpEnd, detail: string, sent: boolean): void {
    const kind = faultOfEnd(end);
    if (this.#cancelled || kind === Fault.ClientGone) this.#fault(Fault.ClientGone, '', sent);
    else this.#fault(kind, quotedText(detail), sent);
  }

  #answered(answer: HttpAnswer): void {
    const outputs = this.#dialect!.read(answer, this.#request!);
    if (!Array.isArray(outputs)) {
      this.#fault(outputs.kind, quotedText(outputs.detail), true);
      return;
    }
    this.#exchange = null;
    this.#sink.onPrediction({ outputs, computeUs: this.#owner.clock.nowUs() - this.#startedUs });
    this.#sink.onEnd();
    this.#end();
  }

  #refused(answer: HttpAnswer): void {
    const { status } = answer;
    const kind = faultOfStatus(status);
    const words = kind === Fault.BackendRefused ? quotedText(readErrorText(answer.body)) : '';
    if (this.#request!.task === 'explain' && hasNoExplain(status, words)) this.#fault(Fault.NotSupported, NO_EXPLAIN, true);
    else if (kind === Fault.BackendRefused) this.#fault(kind, words, true);
    // 503 says that the work was not begun, so another may be asked.
    else this.#fault(kind, failureText(status), kind !== Fault.BackendUnreachable, this.#waitOf(answer));
  }

  /** What the server asks to wait; only where it says that there is something to wait for. */
  #waitOf(answer: HttpAnswer): number {
    if (answer.status !== 429 && answer.status !== 503) return 0;
    return retryAfterMs(answer.field('retry-after'), this.#owner.clock.wallMs());
  }

  #fault(kind: FaultKind, detail: string, reached: boolean, waitMs = 0): void {
    this.#exchange = null;
    this.#sink.onFault(kind, detail, reached, waitMs);
    this.#end();
  }

  #end(): void {
    this.#owner.ended(this);
    this.#sink.onClosed();
  }
}

function endRefused(call: PredictCall, kind: FaultKind, detail: string): void {
  call.endRefused(kind, detail);
}

/** The server's own words may repeat what it was asked. */
function failureText(status: number): string {
  if (status !== 501) return `It answered with ${status}.`;
  return 'It answered with 501: the server does not serve this method. Check protocol and url.';
}
