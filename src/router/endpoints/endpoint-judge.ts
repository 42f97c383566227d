import type { EjectionCause } from '../../core/endpoints.ts';
import type { Endpoint } from './endpoint.ts';
import type { EjectionSettings } from './endpoint-settings.ts';
import type { EndpointTable } from './endpoint-table.ts';

/** Time after its deadline for a call on trial to say how it ended; then another may be tried. */
const TRIAL_GRACE_MS = 1_000;

export interface JudgeEvents {
  onEjected(endpoint: Endpoint, cause: EjectionCause, forMs: number): void;
  onAdmitted(endpoint: Endpoint): void;
  /** An endpoint was not reached, so that a probe may tell more. */
  onUnreached(endpoint: Endpoint): void;
}

/**
 * Ejects endpoints for what their calls and probes come to, and readmits them.
 *
 *             failures                 time is over, or a new good probe
 *     open ──────────────→ ejected ──────────────────────────────────────→ probation
 *      ↑                      ↑                call on trial fails             │
 *      │                      └────────────────────────────────────────────────┤
 *      └───────────────────────────────────────────────────────────────────────┘ succeeds
 */
export class EndpointJudge {
  readonly #rules: EjectionSettings;
  readonly #table: EndpointTable;
  readonly #events: JudgeEvents;

  constructor(rules: EjectionSettings, table: EndpointTable, events: JudgeEvents) {
    this.#rules = rules;
    this.#table = table;
    this.#events = events;
  }

  /** A call begins: takes the place on trial where the endpoint is in probation. @hot */
  began(endpoint: Endpoint, timeoutMs: number, nowMs: number): void {
    const { standing } = endpoint;
    if (standing.is === 'probation') standing.trialUntilMs = nowMs + timeoutMs + TRIAL_GRACE_MS;
  }

  /** A call has come to a good end. `epoch` is the endpoint's as it began. @hot */
  succeeded(endpoint: Endpoint, epoch: number, nowMs: number): void {
    if (epoch !== endpoint.epoch) return;
    endpoint.consecutiveFailures = 0;
    endpoint.unreached = false;
    if (endpoint.standing.is === 'probation') this.#admit(endpoint, nowMs);
    else if (this.#rules.successRate !== null) endpoint.window.note(true, nowMs);
  }

  /** A call has failed by the endpoint's fault. `unreached`: it did not even get there. */
  failed(endpoint: Endpoint, epoch: number, unreached: boolean, nowMs: number): void {
    if (epoch !== endpoint.epoch) return;
    endpoint.consecutiveFailures++;
    endpoint.unreached = unreached;
    if (unreached) this.#events.onUnreached(endpoint);
    if (endpoint.standing.is === 'probation') {
      this.#eject(endpoint, 'probation_failed', nowMs);
      return;
    }
    endpoint.window.note(false, nowMs);
    const cause = this.#causeFor(endpoint, nowMs);
    if (cause !== null && this.#table.mayEject(this.#rules.maxEjectedPercent)) this.#eject(endpoint, cause, nowMs);
  }

  /** A call has ended in a way that says nothing of the endpoint: the place on trial is free again. @hot */
  passed(endpoint: Endpoint, epoch: number): void {
    if (epoch === endpoint.epoch && endpoint.standing.is === 'probation') endpoint.standing.trialUntilMs = 0;
  }

  /** A probe has come to an end. */
  probed(endpoint: Endpoint, isGood: boolean, nowMs: number): void {
    const { standing } = endpoint;
    if (!isGood) endpoint.probeFailed = true;
    // A probe that was good all along says nothing against the calls that failed; one that is good again says that something has changed.
    if (standing.is === 'ejected' && isGood && endpoint.probeFailed) {
      endpoint.moveTo({ is: 'probation', trialUntilMs: 0 });
    } else if (standing.is === 'open' && !isGood && endpoint.unreached && this.#table.mayEject(this.#rules.maxEjectedPercent)) {
      this.#eject(endpoint, 'unreachable', nowMs);
    }
  }

  /** Whether calls say that it is out, also where too many others are for it to be ejected. */
  isFailing(endpoint: Endpoint): boolean {
    const { is } = endpoint.standing;
    return is === 'ejected' || is === 'probation' || endpoint.consecutiveFailures >= this.#rules.consecutiveFailures;
  }

  #causeFor(endpoint: Endpoint, nowMs: number): EjectionCause | null {
    if (endpoint.consecutiveFailures >= this.#rules.consecutiveFailures) return 'consecutive_failures';
    if (endpoint.unreached && !endpoint.probes.lastGood) return 'unreachable';
    return this.#isWorseThanOthers(endpoint, nowMs) ? 'success_rate' : null;
  }

  #isWorseThanOthers(endpoint: Endpoint, nowMs: number): boolean {
    const { successRate } = this.#rules;
    if (successRate === null) return false;
    endpoint.window.sum(nowMs);
    const { good, bad } = endpoint.window;
    if (good + bad < successRate.minCalls) return false;
    let othersGood = 0;
    let othersBad = 0;
    for (const other of this.#table.members) {
      if (other === endpoint || other.standing.is !== 'open') continue;
      other.window.sum(nowMs);
      othersGood += other.window.good;
      othersBad += other.window.bad;
    }
    const others = othersGood + othersBad;
    if (others < successRate.minCalls) return false;
    return othersGood / others - good / (good + bad) > successRate.gapPercent / 100;
  }

  #eject(endpoint: Endpoint, cause: EjectionCause, nowMs: number): void {
    const { baseMs, maxMs, forgiveMs } = this.#rules;
    if (endpoint.standing.is === 'open') {
      const forgiven = Math.floor((nowMs - endpoint.standing.sinceMs) / forgiveMs);
      endpoint.strikes = Math.max(0, endpoint.strikes - forgiven);
    }
    endpoint.strikes++;
    endpoint.ejections++;
    endpoint.probeFailed = !endpoint.probes.lastGood;
    const forMs = Math.min(maxMs, baseMs * endpoint.strikes);
    endpoint.moveTo({ is: 'ejected', untilMs: nowMs + forMs });
    this.#table.sort(nowMs);
    this.#events.onEjected(endpoint, cause, forMs);
  }

  #admit(endpoint: Endpoint, nowMs: number): void {
    endpoint.moveTo({ is: 'open', sinceMs: nowMs });
    endpoint.window.clear();
    this.#table.sort(nowMs);
    this.#events.onAdmitted(endpoint);
  }
}
