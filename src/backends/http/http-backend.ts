import type { HttpBackendConfig } from '../../config/model-schema.ts';
import type { Backend, Call, CallOptions, CallSink } from '../../core/backend.ts';
import type { Clock } from '../../core/clock.ts';
import { type EndpointAddress, endpointLabel } from '../../core/endpoints.ts';
import { Fault } from '../../core/faults.ts';
import type { InferenceRequest } from '../../core/inference.ts';
import { Roster } from '../../core/roster.ts';
import type { Signature } from '../../core/signature.ts';
import type { HttpPoolTls } from '../../wire/http/connector.ts';
import { HttpPool } from '../../wire/http/http-pool.ts';
import { type Answer, ask } from './ask.ts';
import { type Dialect, JSON_TYPE, type Outgoing } from './dialect.ts';
import { Discovery } from './discovery.ts';
import { type CallOwner, PredictCall } from './predict-call.ts';

export interface HttpBackendOptions {
  /** The one of config's endpoints that this is. */
  readonly endpoint: EndpointAddress;
  /** Public name of the model, used there too unless config names another. */
  readonly model: string;
  /** Sent as a bearer token; null sends none. */
  readonly credential: string | null;
  /** What config's files hold; null takes the defaults where the url is https. */
  readonly tls: HttpPoolTls | null;
  readonly clock: Clock;
}

/** A model on one server that speaks the Open Inference Protocol or V1 over HTTP. */
export class HttpBackend implements Backend, CallOwner {
  readonly kind = 'http';
  readonly target: string;
  readonly clock: Clock;
  readonly #maxMessageBytes: number;
  readonly #askTimeoutMs: number;
  readonly #pool: HttpPool;
  /** Probes have a connection of their own: waiting behind calls they would find a busy server dead. */
  readonly #asking: HttpPool;
  readonly #discovery: Discovery;
  readonly #ownHeaders: string[];
  readonly #calls = new Roster<PredictCall>();
  /** Null until the server has told how to speak to it. */
  #dialect: Dialect | null = null;
  #closing: Promise<void> | null = null;
  #allEnded: (() => void) | null = null;

  constructor(config: HttpBackendConfig, options: HttpBackendOptions) {
    this.target = endpointLabel(options.endpoint);
    this.clock = options.clock;
    this.#maxMessageBytes = config.maxMessageBytes;
    this.#askTimeoutMs = config.connectTimeoutMs + METADATA_TIMEOUT_MS;
    this.#ownHeaders = ownHeaders(options.credential);
    const { endpoint, tls } = options;
    const { connectTimeoutMs, progressTimeoutMs } = config;
    const server = { origin: new URL(endpoint.name).origin, ip: endpoint.ip, tls, connectTimeoutMs, progressTimeoutMs };
    const firstByteTimeoutMs = config.firstByteTimeoutMs ?? 0;
    this.#pool = new HttpPool({ ...server, firstByteTimeoutMs, maxConnections: config.maxConnections });
    this.#asking = new HttpPool({ ...server, firstByteTimeoutMs: 0, maxConnections: 1 });
    this.#discovery = new Discovery({
      config,
      endpoint,
      model: config.model ?? options.model,
      ask: (path) => this.#ask(path, this.#askTimeoutMs),
    });
  }

  /** @hot */
  open(request: InferenceRequest, options: CallOptions, sink: CallSink): Call {
    const call = new PredictCall(this, sink);
    this.#calls.add(call);
    const dialect = this.#dialect;
    if (dialect === null) {
      call.refuse(Fault.BackendUnreachable, 'The server has not told its signature yet.');
      return call;
    }
    const outgoing = dialect.write(request);
    if ('kind' in outgoing) {
      call.refuse(outgoing.kind, outgoing.detail);
      return call;
    }
    const question = {
      method: 'POST',
      path: dialect.pathOf(request.task),
      headers: this.#headers(outgoing, options),
      pieces: outgoing.pieces,
      timeoutMs: options.timeoutMs,
      maxAnswerBytes: this.#maxMessageBytes,
      repeatable: request.sequenceId === '',
    } as const;
    call.begin(this.#pool.send(question, call), dialect, request);
    return call;
  }

  async warm(): Promise<Signature> {
    const { dialect, signature } = await this.#discovery.find();
    this.#dialect = dialect;
    return signature;
  }

  async probe(timeoutMs: number): Promise<boolean> {
    const dialect = this.#dialect;
    if (dialect === null) return false;
    const answer = await this.#ask(dialect.readyPath, timeoutMs);
    return answer.status === 200 && dialect.saysReady(answer.body);
  }

  close(): Promise<void> {
    this.#closing ??= this.#shut();
    return this.#closing;
  }

  ended(call: PredictCall): void {
    this.#calls.delete(call);
    if (this.#calls.size === 0) this.#allEnded?.();
  }

  async #shut(): Promise<void> {
    for (const call of this.#calls.all()) call.cancel();
    await Promise.all([this.#pool.close(), this.#asking.close()]);
    if (this.#calls.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#allEnded = resolve;
    });
  }

  #headers(outgoing: Outgoing, options: CallOptions): string[] {
    const headers: string[] = ['content-type', outgoing.contentType, 'x-request-id', options.requestId];
    for (let i = 0; i < this.#ownHeaders.length; i++) headers.push(this.#ownHeaders[i]!);
    // A server that is a gateway itself gives up when nobody waits any longer.
    headers.push('x-sluice-timeout-ms', String(Math.max(1, Math.floor(options.timeoutMs))));
    if (options.traceparent !== '') headers.push('traceparent', options.traceparent);
    if (options.tracestate !== '') headers.push('tracestate', options.tracestate);
    if (outgoing.jsonBytes !== -1) headers.push('inference-header-content-length', String(outgoing.jsonBytes));
    return headers;
  }

  #ask(path: string, timeoutMs: number): Promise<Answer> {
    return ask(this.#asking, path, this.#ownHeaders, timeoutMs);
  }
}

/** A server that has a connection but not this answer for so long is not ready to serve. */
const METADATA_TIMEOUT_MS = 5_000;

/** What every request carries. */
function ownHeaders(credential: string | null): string[] {
  const headers = ['user-agent', 'sluice', 'accept', `${JSON_TYPE}, application/octet-stream`];
  if (credential !== null) headers.push('authorization', `Bearer ${credential}`);
  return headers;
}
