import type { Backend } from '../../core/backend.ts';
import { type EndpointAddress, endpointLabel } from '../../core/endpoints.ts';
import type { EndpointSettings } from './endpoint-settings.ts';
import { OutcomeWindow } from './outcome-window.ts';
import { PeakLatency } from './peak-latency.ts';
import { ProbeRecord } from './probe-record.ts';
import { hashOf } from './rendezvous.ts';

/** How an endpoint stands as far as its signature and its calls go; its probes are told apart from that. */
export type Standing =
  | { readonly is: 'warming'; readonly reason: string }
  | { readonly is: 'mismatched'; readonly reason: string }
  | { readonly is: 'open'; readonly sinceMs: number }
  | { readonly is: 'ejected'; readonly untilMs: number }
  /** `trialUntilMs` is when the call that is on trial counts as lost; 0 when there is none. */
  | { readonly is: 'probation'; trialUntilMs: number };

/** The least share of an endpoint in its slow start: it must get some calls to show what it can do. */
const LEAST_WEIGHT = 0.05;

/** One endpoint of a backend, with all that is known of it. What it means is for others to judge. */
export class Endpoint {
  readonly address: EndpointAddress;
  readonly label: string;
  /** For placing sequences. */
  readonly hash: number;
  readonly backend: Backend;
  readonly latency = new PeakLatency();
  readonly window: OutcomeWindow;
  readonly probes: ProbeRecord;
  standing: Standing = { is: 'warming', reason: 'not tried yet' };
  /** Raised with each change of standing: what calls of an earlier one come to says nothing of this one. */
  epoch = 0;
  inFlight = 0;
  consecutiveFailures = 0;
  /** The last call that came to an end did not reach it. */
  unreached = false;
  /** What the next ejection is measured by. */
  strikes = 0;
  ejections = 0;
  /** A probe has failed since it was ejected, so that a good one tells something new. */
  probeFailed = false;
  /** Its name no longer stands for it. */
  vanished = false;
  /** It takes no more calls, and is closed after the last. */
  draining = false;
  readonly #slowStartMs: number;

  constructor(address: EndpointAddress, backend: Backend, settings: EndpointSettings) {
    this.address = address;
    this.label = endpointLabel(address);
    this.hash = hashOf(this.label);
    this.backend = backend;
    this.#slowStartMs = settings.slowStartMs;
    this.window = new OutcomeWindow(settings.ejection.successRate?.windowMs ?? 1_000);
    this.probes = new ProbeRecord(settings.probe?.unhealthyAfter ?? 1, settings.probe?.healthyAfter ?? 1);
  }

  moveTo(standing: Standing): void {
    this.standing = standing;
    this.epoch++;
  }

  /** Share of a full endpoint's calls, from above 0 to 1. @hot */
  weight(nowMs: number): number {
    const { standing } = this;
    if (standing.is !== 'open') return 1;
    const openMs = nowMs - standing.sinceMs;
    return openMs >= this.#slowStartMs ? 1 : Math.max(LEAST_WEIGHT, openMs / this.#slowStartMs);
  }

  /** What one more call would cost here, to be compared with others. @hot */
  cost(nowMs: number): number {
    const latencyUs = this.latency.at(nowMs);
    if (latencyUs > 0) return latencyUs * (this.inFlight + 1);
    // Nothing is known of it: one call goes to find out, and others only where nothing is known of the others either.
    return this.inFlight === 0 ? 0 : UNKNOWN_US * this.inFlight;
  }
}

/** Longer than any answer takes. */
const UNKNOWN_US = 1e12;
