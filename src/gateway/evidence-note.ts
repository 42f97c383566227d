import type { RequestContext } from '../core/context.ts';
import type { EvidenceBook } from '../core/evidence.ts';
import { Fault, type FaultKind } from '../core/faults.ts';
import { Phase } from '../core/verdict.ts';
import { speaksOfVariant } from './failed-try.ts';

/**
 * Notes how a request that the plan has placed came out for its variant. Those that their caller or a pin has sent to a variant say nothing
 * about the plan's callers; those that ended before they were placed, or that no backend could have taken, say nothing about a variant.
 * Callers who leave, or whose own deadline passes, are a failure of the variant that they waited for: one that hangs would leave no other
 * evidence. Some leave for reasons of their own, but chance has placed them, so of both arms alike.
 *
 * @hot
 */
export function noteEvidence(book: EvidenceBook, ctx: RequestContext): void {
  const { variant, route } = ctx;
  if (variant === null || route === null || ctx.pinned || ctx.byPin) return;
  if (ctx.fault !== null) {
    if (isOfVariant(ctx.fault, ctx.faultPhase)) book.request(route.model, variant.name, ctx.affinity, 'failed', 0, 0);
    return;
  }
  if (ctx.answeredBy === null) return;
  // The first of several who asked the same has left, and the others have had its answer.
  if (ctx.gone) book.request(route.model, variant.name, ctx.affinity, 'failed', 0, 0);
  // Another variant had to answer: whoever is judged by its callers' answers alone would look the better for it.
  else if (ctx.answeredBy !== variant) book.request(route.model, variant.name, ctx.affinity, 'failed', 0, 0);
  else if (ctx.cacheResult === 'hit' || ctx.cacheResult === 'shared') {
    book.request(route.model, variant.name, ctx.affinity, 'cached', 0, 0);
  } else {
    const us = ctx.marksUs[Phase.Infer]! - ctx.marksUs[Phase.Recall]!;
    book.request(route.model, variant.name, ctx.affinity, 'answered', us, ctx.cost);
  }
}

/** Whether a fault is the doing of the variant. What a guard blocks of an answer was the variant's to say. */
function isOfVariant(kind: FaultKind, phase: Phase): boolean {
  if (phase === Phase.InspectOutput && kind === Fault.GuardBlocked) return true;
  if (phase < Phase.Recall) return false;
  if (kind === Fault.ClientGone || kind === Fault.DeadlineOver) return true;
  return kind !== Fault.Draining && speaksOfVariant(kind);
}
