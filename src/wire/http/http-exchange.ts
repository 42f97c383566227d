import type { Dispatcher, Pool } from 'undici';
import { BodyGatherer } from './body-gatherer.ts';
import { type HttpAnswer, type HttpCall, HttpEnd, type HttpQuestion, type HttpSink } from './http-sink.ts';
import { requestBody } from './request-body.ts';
import { codingOf, unpack } from './unpack.ts';

export interface ExchangeOwner {
  /** Time from the request to the first byte of the answer; 0 sets no limit. */
  readonly firstByteTimeoutMs: number;
  /** Time between two pieces of the answer. */
  readonly progressTimeoutMs: number;
  /** Whether one more request may be asked anew. */
  takeRedial(): boolean;
  /** The exchange no longer waits for a connection. */
  forget(exchange: HttpExchange): void;
  /** The package has let go of an exchange. */
  released(): void;
}

type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2];

/** Kept of an answer that is a refusal: enough for its reason. */
const REFUSAL_BYTES = 65_536;

/** What the package is told when an exchange is dropped; nobody hears of it. */
const DROPPED = new Error('The exchange is over.');

/**
 * One request and its answer, and the only object that they cost besides the package's own.
 *
 *   waits in the pool → begun (the package has it, maybe without a connection) → sent → answer → over
 */
export class HttpExchange implements Dispatcher.DispatchHandler, HttpCall, HttpAnswer {
  readonly #owner: ExchangeOwner;
  readonly #question: HttpQuestion;
  readonly #sink: HttpSink;
  readonly #timer: NodeJS.Timeout;
  #firstByteTimer: NodeJS.Timeout | null = null;
  #progressTimer: NodeJS.Timeout | null = null;
  #pool: Pool | null = null;
  #redialled = false;
  #controller: Dispatcher.DispatchController | null = null;
  /** The package has it. */
  #begun = false;
  #over = false;
  #headers: Headers = {};
  #gatherer: BodyGatherer | null = null;
  status = 0;
  body: Buffer = NOTHING;

  constructor(owner: ExchangeOwner, question: HttpQuestion, sink: HttpSink) {
    this.#owner = owner;
    this.#question = question;
    this.#sink = sink;
    this.#timer = setTimeout(expire, Math.max(1, Math.ceil(question.timeoutMs)), this);
  }

  begin(pool: Pool): void {
    this.#begun = true;
    this.#pool = pool;
    this.#dispatch();
  }

  #dispatch(): void {
    const { method, path, headers, pieces } = this.#question;
    const body = requestBody(pieces);
    this.#pool!.dispatch({ method, path, body, headers: body instanceof Uint8Array ? headers : sized(headers, pieces) }, this);
  }

  /** Ends an exchange that never gets a connection. */
  refuse(detail: string): void {
    this.#giveUp(HttpEnd.Unreachable, detail);
  }

  cancel(): void {
    this.#giveUp(HttpEnd.Cancelled, '');
  }

  /** The time for an answer, or for the first byte of it, is over. */
  expire(): void {
    this.#giveUp(HttpEnd.TimedOut, 'No answer in time.');
  }

  stall(): void {
    this.#giveUp(HttpEnd.TimedOut, `The answer stopped on its way for ${this.#owner.progressTimeoutMs} ms.`);
  }

  field(name: string): string {
    const value = this.#headers[name];
    if (value === undefined) return '';
    return typeof value === 'string' ? value : value.join(', ');
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Nothing is written yet. An error refuses the request alone; to abort it would cost its neighbours the connection.
    if (this.#over) throw DROPPED;
    this.#controller = controller;
    const { firstByteTimeoutMs } = this.#owner;
    // The package's own timer for this is a second coarse.
    if (firstByteTimeoutMs > 0) this.#firstByteTimer = setTimeout(expire, firstByteTimeoutMs, this);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    if (status < 200) return;
    this.status = status;
    if (this.#firstByteTimer !== null) clearTimeout(this.#firstByteTimer);
    this.#headers = headers;
    const expected = Number(headers['content-length']);
    if (status !== 200) this.#gatherer = new BodyGatherer(Number.NaN);
    else if (expected > this.#question.maxAnswerBytes) this.#tooLarge();
    else this.#gatherer = new BodyGatherer(expected);
    if (!this.#over) this.#progressTimer = setTimeout(stall, this.#owner.progressTimeoutMs, this);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return;
    const gatherer = this.#gatherer!;
    gatherer.take(chunk);
    this.#progressTimer?.refresh();
    if (this.status !== 200) {
      if (gatherer.size < REFUSAL_BYTES) return;
      this.#complete();
      this.#controller?.abort(DROPPED);
    } else if (gatherer.size > this.#question.maxAnswerBytes) this.#tooLarge();
  }

  onResponseEnd(): void {
    this.#release();
    if (!this.#over) this.#complete();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    const sent = this.#controller !== null;
    if (sent && this.#mayRedial(code, error)) {
      this.#redialled = true;
      this.#controller = null;
      // Its time begins anew with the second request; the first one's timer would cut that short.
      if (this.#firstByteTimer !== null) clearTimeout(this.#firstByteTimer);
      // The package is still clearing up the connection that died.
      setImmediate(redial, this);
      return;
    }
    this.#release();
    if (this.#over) return;
    this.#finish();
    process.nextTick(tellEnd, this.#sink, sent ? endOf(code, error) : HttpEnd.Unreachable, wordsOf(code, error), sent);
  }

  /** The other half of a redial; whoever has given up meanwhile is let go. */
  redial(): void {
    if (this.#over) this.#release();
    else this.#dispatch();
  }

  #mayRedial(code: string, error: Error): boolean {
    if (this.#over || this.#redialled || !this.#question.repeatable || this.status !== 0) return false;
    return endOf(code, error) === HttpEnd.Lost && this.#owner.takeRedial();
  }

  /** The package says an error after the end, too, where the end itself went wrong. */
  #release(): void {
    if (!this.#begun) return;
    this.#begun = false;
    this.#owner.released();
  }

  #tooLarge(): void {
    this.#giveUp(HttpEnd.Oversized, `The body is larger than ${this.#question.maxAnswerBytes} bytes.`);
  }

  /** Drops what is under way. The sink hears of it later, since it may be the one who is calling. */
  #giveUp(end: HttpEnd, detail: string): void {
    if (this.#over) return;
    this.#finish();
    this.#gatherer = null;
    if (!this.#begun) this.#owner.forget(this);
    this.#controller?.abort(DROPPED);
    process.nextTick(tellEnd, this.#sink, end, detail, this.#controller !== null);
  }

  /** The body is here. The sink hears of it outside the package, which would swallow what the sink throws. */
  #complete(): void {
    if (this.#progressTimer !== null) clearTimeout(this.#progressTimer);
    const body = this.#gatherer!.body();
    this.#gatherer = null;
    const coding = this.status === 200 ? codingOf(this.field('content-encoding')) : 'identity';
    if (coding === 'identity') {
      this.#finish();
      this.body = body;
      process.nextTick(tellAnswer, this.#sink, this);
    } else if (coding === 'other') {
      this.#giveUp(HttpEnd.Garbled, 'The content encoding is neither gzip nor deflate.');
    } else unpack(body, coding, this.#question.maxAnswerBytes, this);
  }

  onUnpacked(body: Buffer): void {
    if (this.#over) return;
    this.#finish();
    this.body = body;
    this.#sink.onAnswer(this);
  }

  onSpoiled(tooLarge: boolean, detail: string): void {
    if (tooLarge) this.#tooLarge();
    else this.#giveUp(HttpEnd.Garbled, detail);
  }

  #finish(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    if (this.#firstByteTimer !== null) clearTimeout(this.#firstByteTimer);
    if (this.#progressTimer !== null) clearTimeout(this.#progressTimer);
  }
}

const NOTHING = Buffer.alloc(0);

function redial(exchange: HttpExchange): void {
  exchange.redial();
}

function expire(exchange: HttpExchange): void {
  exchange.expire();
}

function stall(exchange: HttpExchange): void {
  exchange.stall();
}

function tellAnswer(sink: HttpSink, answer: HttpAnswer): void {
  sink.onAnswer(answer);
}

function tellEnd(sink: HttpSink, end: HttpEnd, detail: string, sent: boolean): void {
  sink.onEnd(end, detail, sent);
}

/** A body in pieces has no length of its own for the package. */
function sized(headers: readonly string[], pieces: readonly Uint8Array[]): string[] {
  let size = 0;
  for (let i = 0; i < pieces.length; i++) size += pieces[i]!.length;
  return [...headers, 'content-length', String(size)];
}

/** What an error after the request was sent means. */
function endOf(code: string, error: Error): HttpEnd {
  return error.name === 'HTTPParserError' || NO_HTTP.has(code) ? HttpEnd.Garbled : HttpEnd.Lost;
}

const NO_HTTP: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_OVERFLOW', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH']);

/** Errors of several addresses at once have a code and no message. */
function wordsOf(code: string, error: Error): string {
  return error.message === '' ? code : error.message;
}
