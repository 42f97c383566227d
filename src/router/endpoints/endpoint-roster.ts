import type { Backend } from '../../core/backend.ts';
import type { Clock } from '../../core/clock.ts';
import { type EndpointAddress, type EndpointEvent, type EndpointView, endpointLabel } from '../../core/endpoints.ts';
import type { Signature } from '../../core/signature.ts';
import { DrainingEndpoints } from './draining-endpoints.ts';
import { Endpoint } from './endpoint.ts';
import { EndpointJudge } from './endpoint-judge.ts';
import type { EndpointSettings } from './endpoint-settings.ts';
import { EndpointTable } from './endpoint-table.ts';
import { endpointView } from './endpoint-view.ts';
import { HealthRounds } from './health-rounds.ts';
import { signatureDifference } from './same-signature.ts';

export interface RosterOptions {
  readonly settings: EndpointSettings;
  /** Makes the backend of one endpoint. */
  readonly make: (address: EndpointAddress) => Backend;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly onEvent: (event: EndpointEvent) => void;
}

/** Who belongs to a backend: takes in endpoints that appear, lets go of those that vanish, and says when all of them are out. */
export class EndpointRoster {
  readonly table = new EndpointTable();
  readonly judge: EndpointJudge;
  readonly #o: RosterOptions;
  readonly #rounds: HealthRounds;
  readonly #draining: DrainingEndpoints;
  #signature: Signature | null = null;
  #started = false;
  #lost = false;
  #closed = false;

  constructor(options: RosterOptions) {
    const { settings, random } = options;
    this.#o = options;
    this.#draining = new DrainingEndpoints(settings.drainMs);
    this.judge = new EndpointJudge(settings.ejection, this.table, {
      onEjected: (endpoint, cause, forMs) => {
        this.#tell({ is: 'ejected', endpoint: endpoint.label, cause, forMs });
        this.#rounds.hurry(endpoint);
        this.#settle();
      },
      onAdmitted: (endpoint) => this.#admitted(endpoint),
      onUnreached: (endpoint) => this.#rounds.hurry(endpoint),
    });
    this.#rounds = new HealthRounds({
      probe: settings.probe,
      random,
      onWarm: (endpoint, signature) => this.#warmed(endpoint, signature),
      onCold: (endpoint, reason) => this.#cooled(endpoint, reason),
      onProbed: (endpoint, isGood) => this.#probed(endpoint, isGood),
    });
  }

  /** Takes up what the names stand for now. */
  follow(addresses: readonly EndpointAddress[]): void {
    if (this.#closed) return;
    const left = new Map(this.table.members.map((member) => [member.label, member]));
    const members: Endpoint[] = [];
    for (const address of addresses) {
      const label = endpointLabel(address);
      const known = left.get(label);
      left.delete(label);
      if (known === undefined) this.#tell({ is: 'appeared', endpoint: label });
      else known.vanished = false;
      members.push(known ?? new Endpoint(address, this.#o.make(address), this.#o.settings));
    }
    for (const gone of left.values()) {
      if (!gone.vanished) this.#tell({ is: 'vanished', endpoint: gone.label });
      gone.vanished = true;
      members.push(gone);
    }
    this.table.replace(members, this.#o.clock.nowMs());
    if (this.#started) this.#watchAll();
    this.#settle();
  }

  /** Asks all for their signature, and resolves with that of the first that answers. Rejects with the first one's error when none does. */
  async warm(): Promise<Signature> {
    this.#signature = null;
    try {
      return await Promise.any(this.table.members.map((member) => this.#rounds.warm(member)));
    } catch (error) {
      throw (error as AggregateError).errors[0];
    }
  }

  /** Looks after all of them from now on. */
  start(): void {
    if (this.#closed) return;
    this.#started = true;
    this.#watchAll();
    this.#settle();
  }

  /** Whether any of them says that it is ready. */
  probe(timeoutMs: number): Promise<boolean> {
    if (this.#closed || this.#signature === null) return Promise.resolve(false);
    const answers = this.table.members.map(async (member) => {
      if (!(await this.#rounds.probe(member, timeoutMs))) throw new Error('not ready');
    });
    return Promise.any(answers).then(
      () => true,
      () => false,
    );
  }

  /** A call at this endpoint is over. @hot */
  released(endpoint: Endpoint): void {
    endpoint.inFlight--;
    if (endpoint.draining && endpoint.inFlight === 0) this.#draining.cut(endpoint);
  }

  views(): EndpointView[] {
    const nowMs = this.#o.clock.nowMs();
    return [...this.table.members, ...this.#draining.all].map((member) => endpointView(member, nowMs));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#rounds.close();
    await Promise.all([this.#draining.close(), ...this.table.members.map((member) => member.backend.close())]);
  }

  #watchAll(): void {
    for (const member of this.table.members) this.#rounds.watch(member);
  }

  /** Lets an endpoint in, or says how its signature differs. */
  #warmed(endpoint: Endpoint, signature: Signature): string {
    this.#signature ??= signature;
    const difference = signatureDifference(this.#signature, signature);
    const { standing } = endpoint;
    if (difference !== '') {
      this.#tellKeptOut(endpoint, difference);
      endpoint.moveTo({ is: 'mismatched', reason: difference });
    } else if (standing.is === 'warming' || standing.is === 'mismatched') {
      endpoint.moveTo({ is: 'open', sinceMs: this.#o.clock.nowMs() });
    } else return '';
    this.table.sort(this.#o.clock.nowMs());
    this.#admitted(endpoint);
    return difference;
  }

  /** An endpoint that is in use stays so: its calls and probes tell whether it is well. */
  #cooled(endpoint: Endpoint, reason: string): void {
    const { is } = endpoint.standing;
    if (is !== 'warming' && is !== 'mismatched') return;
    // Before that the caller of `warm` hears the reason.
    if (this.#started) this.#tellKeptOut(endpoint, reason);
    endpoint.moveTo({ is: 'warming', reason });
  }

  #probed(endpoint: Endpoint, isGood: boolean): void {
    const nowMs = this.#o.clock.nowMs();
    const changed = endpoint.probes.note(isGood);
    // Who comes back begins anew, with a growing share.
    if (changed && isGood && endpoint.standing.is === 'open') {
      endpoint.moveTo({ is: 'open', sinceMs: nowMs });
      endpoint.consecutiveFailures = 0;
    }
    this.judge.probed(endpoint, isGood, nowMs);
    this.table.sort(nowMs);
    if (changed && !isGood) this.#tell({ is: 'unhealthy', endpoint: endpoint.label });
    if (changed && isGood) this.#admitted(endpoint);
    else this.#settle();
  }

  #admitted(endpoint: Endpoint): void {
    if (endpoint.standing.is === 'open') this.#tell({ is: 'admitted', endpoint: endpoint.label });
    this.#settle();
  }

  /** What follows from how they stand: whether those that left their names may go, and whether all are lost. */
  #settle(): void {
    if (this.#closed || !this.#started) return;
    // Those that left go when one that stayed can take their calls, and not before.
    if (this.table.takers.some((member) => !member.vanished)) this.#letGo();
    const { members } = this.table;
    const lost = !members.some((member) => this.#isInUse(member));
    if (lost === this.#lost) return;
    this.#lost = lost;
    this.#tell(lost ? { is: 'lost', reason: lossOf(members, this.#o.clock.nowMs()) } : { is: 'found' });
  }

  /** Out are those that both calls and probes speak against, and those whose signature is not known to be the right one. */
  #isInUse(endpoint: Endpoint): boolean {
    const { is } = endpoint.standing;
    if (is === 'warming' || is === 'mismatched') return false;
    return endpoint.probes.healthy || !this.judge.isFailing(endpoint);
  }

  #letGo(): void {
    const { members } = this.table;
    const leaving = members.filter((member) => member.vanished);
    if (leaving.length === 0) return;
    const staying = members.filter((member) => !member.vanished);
    this.table.replace(staying, this.#o.clock.nowMs());
    for (const endpoint of leaving) {
      this.#rounds.forget(endpoint);
      this.#draining.add(endpoint);
    }
  }

  #tellKeptOut(endpoint: Endpoint, reason: string): void {
    const { standing } = endpoint;
    if ((standing.is === 'warming' || standing.is === 'mismatched') && standing.reason === reason) return;
    this.#tell({ is: 'kept-out', endpoint: endpoint.label, reason });
  }

  #tell(event: EndpointEvent): void {
    if (!this.#closed) this.#o.onEvent(event);
  }
}

/** Why a variant is lost, in one line. */
function lossOf(members: readonly Endpoint[], nowMs: number): string {
  const first = endpointView(members[0]!, nowMs);
  const others = members.length === 1 ? '' : `, and ${members.length - 1} more`;
  return `every endpoint is out: ${first.endpoint} is ${first.state}, ${first.reason}${others}`;
}
