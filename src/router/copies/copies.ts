import type { Inferred } from '../../core/context.ts';
import type { ShadowOutcome } from '../../core/observer.ts';
import type { Variant } from '../../core/traffic.ts';
import { Phase } from '../../core/verdict.ts';
import type { Answered } from './answered.ts';
import { type CopyHouse, CopyQueue, type QueueLimits } from './copy-queue.ts';
import { isSampled } from './copy-sample.ts';
import { type MirrorOptions, Mirrors } from './mirrors.ts';

/** What becomes of a mirrored request; the labels of its metric. */
export type MirrorTarget = 'stable' | 'canary';

export interface CopiesOptions extends Omit<CopyHouse, 'onOutcome'> {
  readonly limits: QueueLimits;
  /** By model. */
  readonly mirrors: Readonly<Record<string, MirrorOptions>>;
  /** A copy ended without an answer that could be compared. */
  readonly ended: (answered: Answered, asked: Variant, outcome: 'failed' | 'dropped') => void;
  readonly onShadow: (model: string, variant: string, outcome: ShadowOutcome) => void;
  /** `variant` is the canary, whichever of the two was asked. */
  readonly onMirror: (model: string, variant: string, asked: MirrorTarget, outcome: ShadowOutcome) => void;
}

/**
 * Copies of answered requests for shadows, and mirrors between stable and canaries. Each model has a queue for either, so that a shadow
 * that hangs takes no places from other models, nor from the mirrors that a rollout is judged by.
 */
export class Copies {
  readonly #o: CopiesOptions;
  readonly #byModel = new Map<string, ModelCopies>();

  constructor(options: CopiesOptions) {
    this.#o = options;
    const house = { ...options, onOutcome: this.#noteOutcome };
    for (const [model, mirrors] of Object.entries(options.mirrors)) {
      this.#byModel.set(model, {
        shadows: new CopyQueue(options.limits, house),
        mirrored: new CopyQueue(options.limits, house),
        mirrors: new Mirrors(mirrors),
      });
    }
  }

  /** Copies waiting, of all models. */
  get length(): number {
    let length = 0;
    for (const { shadows, mirrored } of this.#byModel.values()) length += shadows.length + mirrored.length;
    return length;
  }

  /** @hot A request has been answered, and its answer is on its way. Never throws. Neither is changed after this. */
  offer(ctx: Inferred): void {
    const copies = this.#byModel.get(ctx.route.model);
    if (copies === undefined) return;
    const { shadows, variants } = ctx.route.plan;
    const isMirrored = variants.length > 1 && copies.mirrors.isOn;
    if ((shadows.length === 0 && !isMirrored) || !isComparable(ctx)) return;
    const answered = answeredOf(ctx);
    for (let i = 0; i < shadows.length; i++) {
      const { variant, sample } = shadows[i]!;
      if (isSampled(sample, variant.name, ctx.affinity, ctx.requestId)) copies.shadows.offer(answered, variant);
    }
    // One that was answered by another than it was given to counts as a failure already, and a pinned one says nothing about the others.
    if (isMirrored && ctx.answeredBy === ctx.variant && !ctx.byPin) this.#mirror(copies, ctx, answered);
  }

  /** Drops what waits and cancels what runs. */
  async close(): Promise<void> {
    const queues = [...this.#byModel.values()].flatMap(({ shadows, mirrored }) => [shadows, mirrored]);
    await Promise.all(queues.map((queue) => queue.close()));
  }

  #mirror({ mirrors, mirrored }: ModelCopies, ctx: Inferred, answered: Answered): void {
    const { plan } = ctx.route;
    const request = { affinity: ctx.affinity, requestId: ctx.requestId, nowMs: this.#o.clock.nowMs() };
    if (answered.by !== answered.stable) {
      if (isReady(answered.stable) && mirrors.mirrorsCanary(answered.by, request)) mirrored.offer(answered, answered.stable);
      return;
    }
    for (let i = 1; i < plan.variants.length; i++) {
      const canary = plan.variants[i]!;
      if (isReady(canary) && mirrors.mirrorsStable(plan, i, request)) mirrored.offer(answered, canary);
    }
  }

  readonly #noteOutcome = (answered: Answered, asked: Variant, outcome: ShadowOutcome): void => {
    if (outcome === 'failed' || outcome === 'dropped') this.#o.ended(answered, asked, outcome);
    const { model, by } = answered;
    switch (asked.role) {
      case 'shadow':
        this.#o.onShadow(model, asked.name, outcome);
        return;
      case 'stable':
        this.#o.onMirror(model, by.name, 'stable', outcome);
        return;
      case 'canary':
        this.#o.onMirror(model, asked.name, 'canary', outcome);
        return;
      default:
        asked.role satisfies never;
    }
  };
}

interface ModelCopies {
  readonly shadows: CopyQueue;
  readonly mirrored: CopyQueue;
  readonly mirrors: Mirrors;
}

const isReady = ({ state }: Variant): boolean => state.readiness.is === 'ready';

/** @hot */
function isComparable({ pinned, parts, request, cacheResult }: Inferred): boolean {
  // A sequence has its state where it began; several answers and explanations have no scores to compare.
  if (pinned || parts !== null || request.sequenceId !== '' || request.task === 'explain') return false;
  // An answer from memory was compared when it was found.
  return cacheResult !== 'hit' && cacheResult !== 'shared';
}

function answeredOf(ctx: Inferred): Answered {
  const { route, marksUs, prediction } = ctx;
  return {
    model: route.model,
    tenant: ctx.principal.tenant.id,
    requestId: ctx.requestId,
    traceparent: ctx.traceparent,
    affinity: ctx.affinity,
    request: ctx.request,
    rows: ctx.usage.rows,
    outputs: ctx.unguarded ?? prediction.outputs,
    by: ctx.answeredBy,
    stable: route.plan.variants[0]!,
    tookUs: ctx.attempts === 1 ? marksUs[Phase.Infer]! - marksUs[Phase.Recall]! : 0,
    costNano: ctx.cost,
  };
}
