import { joinByteStrings, splitByteStrings } from '../../core/byte-strings.ts';
import type { Authorised, Inferred, RequestContext } from '../../core/context.ts';
import { EXPLANATION, explanationJson, explanationOf } from '../../core/explanation.ts';
import { Fault } from '../../core/faults.ts';
import { type GuardChain, type Inspection, Ruling } from '../../core/guard.ts';
import type { Tensor } from '../../core/inference.ts';
import { type Maybe, Verdict } from '../../core/verdict.ts';
import { JsonTexts } from '../../wire/json/json-texts.ts';
import type { Stage } from '../lifecycle.ts';

/** Does the input fit the signature, and do the guards let it pass? */
export class InspectInput implements Stage<Authorised> {
  /** @hot */
  run(ctx: Authorised): Maybe<Verdict> {
    const refusal = ctx.route.contract!.refusal(ctx.request, ctx);
    return typeof refusal === 'string' ? judged(ctx, refusal) : judgedLate(ctx, refusal);
  }
}

async function judgedLate(ctx: Authorised, refusal: Promise<string>): Promise<Verdict> {
  const { ticket } = ctx;
  const found = await refusal;
  // Whoever has been answered meanwhile is asked nothing more.
  return ctx.ticket === ticket ? judged(ctx, found) : Verdict.Next;
}

function judged(ctx: Authorised, refusal: string): Maybe<Verdict> {
  if (refusal !== '') return ctx.refuse(Fault.BadRequest, refusal);
  // Only now: what a refused request claims to hold is nobody's usage.
  ctx.usage.rows = ctx.route.contract!.rows(ctx.request);
  const chain = ctx.route.inputGuards;
  return chain === null ? Verdict.Next : inspect(ctx, chain, 'input', ctx.request.inputs);
}

/** Do the guards let the answer pass? They see all of it; the caller then gets what it asked for. */
export class InspectOutput implements Stage<Inferred> {
  /** @hot */
  run(ctx: Inferred): Maybe<Verdict> {
    return ctx.parts === null ? this.judge(ctx) : Verdict.Next;
  }

  /** Judges `ctx.prediction`: the answer, or one of several. @hot */
  judge(ctx: Inferred): Maybe<Verdict> {
    const chain = ctx.route.outputGuards;
    if (chain === null) return Verdict.Next;
    if (ctx.request.task === 'explain') return inspectExplanation(ctx, chain);
    // Guards put others in their place; a copy's answer is compared as it came, so this one has to be as well.
    ctx.unguarded = ctx.prediction.outputs.slice();
    const verdict = inspect(ctx, chain, 'output', ctx.prediction.outputs);
    if (ctx.request.wanted.length === 0) return verdict;
    return typeof verdict === 'number' ? narrow(ctx, verdict) : verdict.then((settled) => narrow(ctx, settled));
  }
}

function narrow(ctx: Inferred, verdict: Verdict): Verdict {
  const { outputs, computeUs } = ctx.prediction;
  if (verdict === Verdict.Next)
    ctx.prediction = { outputs: outputs.filter(({ name }) => ctx.request.wanted.includes(name)), computeUs };
  return verdict;
}

/** Guards see what stands in the strings of an explanation: its JSON text would hide words behind escapes, and rewriting could spoil it. */
function inspectExplanation(ctx: Inferred, chain: GuardChain): Maybe<Verdict> {
  const json = new JsonTexts(explanationJson(ctx.prediction.outputs[0]!));
  const shape = [json.texts.length];
  const given: Tensor = { name: EXPLANATION, datatype: 'BYTES', shape, data: joinByteStrings(json.texts) };
  const tensors = [given];
  const verdict = inspect(ctx, chain, 'output', tensors);
  const rewritten = (): Verdict => {
    const left = tensors[0]!;
    if (left !== given) {
      const { computeUs } = ctx.prediction;
      ctx.prediction = { outputs: [explanationOf(json.replaced(splitByteStrings(left.data)))], computeUs };
    }
    return Verdict.Next;
  };
  const settle = (settled: Verdict): Verdict => (settled === Verdict.Next ? rewritten() : settled);
  return typeof verdict === 'number' ? settle(verdict) : verdict.then(settle);
}

function inspect(ctx: Authorised, chain: GuardChain, side: 'input' | 'output', tensors: Tensor[]): Maybe<Verdict> {
  const inspection: Inspection = {
    tenant: ctx.principal.tenant.id,
    model: ctx.route.model,
    side,
    tensors,
    guard: '',
    rule: '',
    flags: [],
  };
  const ruling = chain.inspect(inspection, ctx);
  if (typeof ruling === 'number') return verdictOf(ctx, inspection, ruling);
  const { ticket } = ctx;
  // Whoever has been answered meanwhile keeps the fault that it was answered with.
  return ruling.then((settled) => (ctx.ticket === ticket ? verdictOf(ctx, inspection, settled) : Verdict.Next));
}

function verdictOf(ctx: RequestContext, inspection: Inspection, ruling: Ruling): Verdict {
  if (inspection.flags.length > 0) ctx.flags = ctx.flags.concat(inspection.flags);
  if (ruling === Ruling.Block) {
    return ctx.refuse(Fault.GuardBlocked, `Guard "${inspection.guard}" on the ${inspection.side}: ${inspection.rule}.`);
  }
  if (ruling === Ruling.Error) return ctx.refuse(Fault.GuardFailed, `Guard "${inspection.guard}" on the ${inspection.side}.`);
  return Verdict.Next;
}
