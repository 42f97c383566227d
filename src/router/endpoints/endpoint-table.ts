import type { Endpoint } from './endpoint.ts';

/**
 * The endpoints of one backend, sorted by what they may take. Sorted anew when something changes and when an ejection is over, so that a
 * call only looks at short lists.
 *
 *   takers    open, and well as far as probes tell
 *   suspects  open, while their probes fail: they take calls only where there are no takers
 *   trials    in probation
 */
export class EndpointTable {
  #members: readonly Endpoint[] = [];
  takers: Endpoint[] = [];
  suspects: Endpoint[] = [];
  trials: Endpoint[] = [];
  /** When the next ejection is over. */
  nextDueMs = Number.POSITIVE_INFINITY;

  get members(): readonly Endpoint[] {
    return this.#members;
  }

  replace(members: readonly Endpoint[], nowMs: number): void {
    this.#members = members;
    this.sort(nowMs);
  }

  /** Lets ejections end and sorts. */
  sort(nowMs: number): void {
    this.takers = [];
    this.suspects = [];
    this.trials = [];
    this.nextDueMs = Number.POSITIVE_INFINITY;
    for (const member of this.#members) {
      if (member.standing.is === 'ejected' && member.standing.untilMs <= nowMs) {
        member.moveTo({ is: 'probation', trialUntilMs: 0 });
      }
      const { standing } = member;
      if (standing.is === 'ejected') this.nextDueMs = Math.min(this.nextDueMs, standing.untilMs);
      else if (standing.is === 'probation') this.trials.push(member);
      else if (standing.is === 'open') (member.probes.healthy ? this.takers : this.suspects).push(member);
    }
  }

  /** Milliseconds until an endpoint may be tried again; at least one, and at most `mostMs`. */
  untilTrialMs(nowMs: number, mostMs: number): number {
    return Math.max(1, Math.min(mostMs, this.nextDueMs - nowMs));
  }

  /** Whether one more may be ejected: some have to stay, or the rest would drown in the calls of all. One always may. */
  mayEject(maxPercent: number): boolean {
    let admitted = 0;
    let out = 0;
    for (const { standing } of this.#members) {
      if (standing.is === 'open') admitted++;
      else if (standing.is === 'ejected' || standing.is === 'probation') {
        admitted++;
        out++;
      }
    }
    return out < Math.max(1, Math.floor((admitted * maxPercent) / 100));
  }
}
