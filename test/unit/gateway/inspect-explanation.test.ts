import { describe, expect, it } from 'vitest';
import { joinByteStrings, splitByteStrings } from '../../../src/core/byte-strings.ts';
import type { Inferred, RequestContext } from '../../../src/core/context.ts';
import { explanationJson, explanationOf } from '../../../src/core/explanation.ts';
import { type GuardChain, type Inspection, Ruling } from '../../../src/core/guard.ts';
import { Verdict } from '../../../src/core/verdict.ts';
import { InspectOutput } from '../../../src/gateway/phases/inspect.ts';
import { contextWith } from '../../support/request-fakes.ts';

const JSON_TEXT = '{"predictions":[1],"explanations":{"text":"\\u0062ob@x.io\\n","card":4111111111111111}}';

function contextOf(inspect: GuardChain['inspect']): RequestContext {
  const ctx = contextWith();
  Object.assign(ctx, {
    principal: { tenant: { id: 't' } },
    request: { task: 'explain', wanted: [] },
    route: { model: 'm', outputGuards: { policy: 'p', inspect } },
    prediction: { outputs: [explanationOf(Buffer.from(JSON_TEXT))], computeUs: 7 },
  });
  return ctx;
}

const textOf = (ctx: RequestContext): string => Buffer.from(explanationJson(ctx.prediction!.outputs[0]!)).toString();
const run = (ctx: RequestContext) => new InspectOutput().run(ctx as Inferred);

/** Puts stars in the place of every text that says more than letters. */
function redact({ tensors }: Inspection): Ruling {
  const texts = splitByteStrings(tensors[0]!.data).map((text) => Buffer.from(text).toString());
  const data = joinByteStrings(texts.map((text) => Buffer.from(/^[a-z]+$/.test(text) ? text : '***')));
  tensors[0] = { ...tensors[0]!, data };
  return Ruling.Rewrite;
}

describe('an explanation before the output guards', () => {
  it('is seen text by text, without escapes', () => {
    let seen: readonly string[] = [];
    const ctx = contextOf(({ tensors, side }) => {
      expect(tensors).toMatchObject([{ name: 'explanation', datatype: 'BYTES', shape: [6] }]);
      expect(side).toBe('output');
      seen = splitByteStrings(tensors[0]!.data).map((text) => Buffer.from(text).toString());
      return Ruling.Allow;
    });
    expect(run(ctx)).toBe(Verdict.Next);
    expect(seen).toEqual(['predictions', 'explanations', 'text', 'bob@x.io\n', 'card', '4111111111111111']);
    expect(textOf(ctx)).toBe(JSON_TEXT);
  });

  it.each([
    ['at once', redact],
    ['later', (inspection: Inspection) => Promise.resolve(redact(inspection))],
  ])('stays JSON when it is rewritten %s', async (_when, inspect) => {
    const ctx = contextOf(inspect);
    expect(await run(ctx)).toBe(Verdict.Next);
    expect(textOf(ctx)).toBe('{"predictions":[1],"explanations":{"text":"***","card":"***"}}');
    expect(ctx.prediction!.computeUs).toBe(7);
  });

  it('is blocked like any other answer', () => {
    const ctx = contextOf(() => Ruling.Block);
    expect(run(ctx)).toBe(Verdict.Refuse);
    expect(ctx.fault?.code).toBe('GUARD_BLOCKED');
  });
});
