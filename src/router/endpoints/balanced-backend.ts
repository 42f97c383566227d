import type { Backend, BackendKind, Call, CallOptions, CallSink } from '../../core/backend.ts';
import type { EndpointSet, EndpointView, Lookup } from '../../core/endpoints.ts';
import { Fault, GatewayError } from '../../core/faults.ts';
import type { InferenceRequest, Prediction } from '../../core/inference.ts';
import type { Signature } from '../../core/signature.ts';
import type { Endpoint } from './endpoint.ts';
import { type CallJudge, EndpointCall } from './endpoint-call.ts';
import { EndpointChoice } from './endpoint-choice.ts';
import { EndpointRoster, type RosterOptions } from './endpoint-roster.ts';
import { type EndpointName, NameWatch } from './name-watch.ts';
import { RefusedCall } from './refused-call.ts';

export interface BalancedOptions extends RosterOptions {
  readonly kind: BackendKind;
  readonly names: readonly EndpointName[];
  /** Least time without an answer that is held against an endpoint. */
  readonly patienceMs: number;
  /** Why an answer does not fit the model; empty when it does. */
  readonly lie: (request: InferenceRequest, prediction: Prediction) => string;
  readonly lookup: Lookup;
}

/**
 * Several endpoints as one backend: spreads calls over them, leaves out those that fail, and follows their names. Refuses a call at once
 * when no endpoint may take it.
 */
export class BalancedBackend implements Backend, CallJudge, EndpointSet {
  readonly kind: BackendKind;
  readonly target: string;
  readonly patienceMs: number;
  readonly #o: BalancedOptions;
  readonly #roster: EndpointRoster;
  readonly #choice: EndpointChoice;
  readonly #names: NameWatch;
  #started = false;
  #closing: Promise<void> | null = null;

  constructor(options: BalancedOptions) {
    this.#o = options;
    this.kind = options.kind;
    this.target = options.names.map(({ name }) => name).join(', ');
    this.patienceMs = options.patienceMs;
    this.#roster = new EndpointRoster(options);
    this.#choice = new EndpointChoice(this.#roster.table, options.random);
    this.#names = new NameWatch({
      names: options.names,
      lookup: options.lookup,
      resolveMs: options.settings.resolveMs,
      random: options.random,
      onAddresses: (addresses) => this.#roster.follow(addresses),
      onUnresolved: (name, reason) => options.onEvent({ is: 'unresolved', name, reason }),
    });
    this.#roster.follow(this.#names.addresses());
  }

  /** @hot */
  open(request: InferenceRequest, options: CallOptions, sink: CallSink): Call {
    const nowMs = this.#o.clock.nowMs();
    const endpoint = this.#closing === null ? this.#choice.pick(options.affinity, options.avoid, nowMs) : null;
    if (endpoint === null) return this.#refuse(sink, nowMs);
    const call = new EndpointCall(this, endpoint, request, options.timeoutMs, sink);
    call.begin(endpoint.backend.open(request, options, call));
    // Taken last: a backend that throws here would keep what nobody gives back.
    endpoint.inFlight++;
    this.#roster.judge.began(endpoint, options.timeoutMs, nowMs);
    return call;
  }

  /** Looks the names up and asks all endpoints; the first that answers states the signature, and the others follow in the background. */
  async warm(): Promise<Signature> {
    await this.#names.resolve();
    if (this.#closing !== null) throw this.#unusable('the backend is closed');
    if (this.#roster.table.members.length === 0) throw this.#unusable(this.#names.problems().join('; '));
    let signature: Signature;
    try {
      signature = await this.#roster.warm();
    } catch (error) {
      throw this.#roster.table.members.length === 1 ? error : this.#noneUsable(error);
    }
    if (!this.#started && this.#closing === null) this.#names.start();
    this.#started = true;
    this.#roster.start();
    return signature;
  }

  /** Whether any endpoint says that it is ready. */
  probe(timeoutMs: number): Promise<boolean> {
    return this.#roster.probe(timeoutMs);
  }

  close(): Promise<void> {
    this.#names.close();
    this.#closing ??= this.#roster.close();
    return this.#closing;
  }

  views(): readonly EndpointView[] {
    return this.#roster.views();
  }

  /** @hot */
  hasOther(endpoint: string): boolean {
    return this.#closing === null && this.#choice.hasOther(endpoint, this.#o.clock.nowMs());
  }

  /** @hot */
  nowUs(): number {
    return this.#o.clock.nowUs();
  }

  /** @hot */
  lie(request: InferenceRequest, prediction: Prediction): string {
    return this.#o.lie(request, prediction);
  }

  /** @hot */
  succeeded(endpoint: Endpoint, epoch: number): void {
    this.#roster.judge.succeeded(endpoint, epoch, this.#o.clock.nowMs());
  }

  failed(endpoint: Endpoint, epoch: number, unreached: boolean): void {
    this.#roster.judge.failed(endpoint, epoch, unreached, this.#o.clock.nowMs());
  }

  passed(endpoint: Endpoint, epoch: number): void {
    this.#roster.judge.passed(endpoint, epoch);
  }

  /** @hot */
  closed(endpoint: Endpoint): void {
    this.#roster.released(endpoint);
  }

  #refuse(sink: CallSink, nowMs: number): Call {
    if (this.#closing !== null) return new RefusedCall(sink, 'The backend is closed.', 0);
    const waitMs = this.#roster.table.untilTrialMs(nowMs, this.#o.settings.ejection.maxMs);
    return new RefusedCall(sink, 'No endpoint may take a call now.', waitMs);
  }

  #noneUsable(error: unknown): GatewayError {
    const kind = error instanceof GatewayError ? error.kind : Fault.BackendFailed;
    const first = error instanceof GatewayError ? error.detail : (error as Error).message;
    return new GatewayError(kind, `None of the endpoints ${this.target} can be used. Of the first: ${first}`, error);
  }

  #unusable(reason: string): GatewayError {
    const detail = `The endpoints ${this.target} cannot be used: ${reason}. Check backend.endpoints.`;
    return new GatewayError(Fault.BackendUnreachable, detail);
  }
}
