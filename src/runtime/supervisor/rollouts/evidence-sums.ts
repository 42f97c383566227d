import { type ArmEvidence, addEvidence, noEvidence, type Watched } from '../../../core/evidence.ts';
import type { EvidenceAnswer } from '../../ipc/messages.ts';
import type { Fleet } from '../fleet.ts';
import type { WorkerHandle } from '../worker-handle.ts';

/** What all workers together have seen of the two variants that a rollout compares. */
export interface EvidenceLook {
  readonly stable: ArmEvidence;
  readonly canary: ArmEvidence;
  /** Why the canary is taken to be down: a worker has lost it, or none has it ready. Empty when it is not, and when none answered. */
  readonly down: string;
}

/** Where a rollout gets its evidence; tests stand in for it. */
export interface EvidenceDesk {
  /** Evidence of a model begins anew. */
  begin(model: string, stable: string, canary: string): Promise<void>;
  end(model: string): Promise<void>;
  look(model: string): Promise<EvidenceLook>;
}

export interface EvidenceSumsOptions {
  readonly fleet: Pick<Fleet, 'live' | 'broadcast'>;
  readonly acknowledgeTimeoutMs: () => number;
}

/**
 * Evidence of all workers, by model. Each worker tells its sums since the epoch began, so that an answer that came too late is made good by
 * the next; what a worker told last stays in the sums when it is gone.
 */
export class EvidenceSums implements EvidenceDesk {
  readonly #o: EvidenceSumsOptions;
  readonly #models = new Map<string, WatchedModel>();
  #epochs = 0;

  constructor(options: EvidenceSumsOptions) {
    this.#o = options;
  }

  /** What a worker is told when it begins. */
  get watched(): readonly Watched[] {
    return [...this.#models.values()].map(({ watched }) => watched);
  }

  async begin(model: string, stable: string, canary: string): Promise<void> {
    const watched = { model, epoch: ++this.#epochs, variants: [stable, canary] };
    this.#models.set(model, { watched, canary, told: new Map(), gone: [noEvidence(), noEvidence()] });
    await this.#tell();
  }

  async end(model: string): Promise<void> {
    if (this.#models.delete(model)) await this.#tell();
  }

  async look(model: string): Promise<EvidenceLook> {
    const of = this.#models.get(model);
    const sums = [noEvidence(), noEvidence()] as const;
    if (of === undefined) return { stable: sums[0], canary: sums[1], down: '' };
    const answers = await this.#ask(of);
    this.#retire(of);
    for (const [arm, sum] of sums.entries()) {
      addEvidence(sum, of.gone[arm]!);
      for (const { arms } of of.told.values()) addEvidence(sum, arms[arm]!);
    }
    return { stable: sums[0], canary: sums[1], down: downOf(answers) };
  }

  async #tell(): Promise<void> {
    await this.#o.fleet.broadcast('watch', this.watched, this.#o.acknowledgeTimeoutMs());
  }

  /** Of those who serve. Who is silent is judged by others: evidence is worth nobody's life. */
  async #ask({ watched, canary, told }: WatchedModel): Promise<readonly EvidenceAnswer[]> {
    const ask = { model: watched.model, epoch: watched.epoch, variant: canary };
    const answers = await Promise.all(
      this.#o.fleet.live.map(async (worker) => {
        try {
          const answer = await worker.ask('evidence', ask, this.#o.acknowledgeTimeoutMs());
          if (answer !== null) told.set(worker, answer);
          // One that drains has the variants of a former config.
          return answer === null || worker.state !== 'serving' ? [] : [answer];
        } catch {
          // It ends, or has much to do: what it has seen comes with its next answer.
          return [];
        }
      }),
    );
    return answers.flat();
  }

  #retire({ told, gone }: WatchedModel): void {
    for (const [worker, { arms }] of told) {
      if (worker.state !== 'gone') continue;
      told.delete(worker);
      for (const [arm, sum] of gone.entries()) addEvidence(sum, arms[arm]!);
    }
  }
}

/** One that has just begun may not have reached it yet, and one that has no requests does not know better than its probes. */
function downOf(answers: readonly EvidenceAnswer[]): string {
  const unready = answers.filter(({ readiness }) => readiness !== 'ready');
  const lost = unready.find(({ readiness }) => readiness !== 'warming');
  if (lost !== undefined) return lost.reason;
  return unready.length === answers.length ? (unready[0]?.reason ?? '') : '';
}

interface WatchedModel {
  readonly watched: Watched;
  readonly canary: string;
  /** What each told last. */
  readonly told: Map<WorkerHandle, EvidenceAnswer>;
  /** Of workers that are gone, arm by arm. */
  readonly gone: readonly ArmEvidence[];
}
