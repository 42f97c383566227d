import { describe, expect, it } from 'vitest';
import { COMPARISON_ROUTES } from '../../../src/admin/comparison-routes.ts';
import type { ComparisonControl, Disagreement, KeptTensor } from '../../../src/core/comparison.ts';
import type { ControlPlane } from '../../../src/core/control-plane.ts';

const tensor: KeptTensor = { name: 'x', datatype: 'FP32', shape: [1], sizeBytes: 4, sha256: 'ab', base64: 'AAAAAA==' };
const disagreement: Disagreement = {
  requestId: 'r1',
  atMs: 1,
  tenant: 'acme',
  variant: 'v2',
  answeredBy: 'v1',
  kind: 'argmax',
  output: 'y',
  row: 0,
  stableArgmax: 0,
  variantArgmax: 1,
  maxDifference: 2,
  inputs: [tensor],
  stableOutputs: [tensor],
  variantOutputs: [tensor],
};
const asked: (readonly [string, string])[] = [];
const comparisons: ComparisonControl = {
  read: (model) => Promise.resolve(model === 'm' ? { model, stable: 'v1', agreeBy: 'argmax', pairs: [] } : null),
  disagreements: (model, variant) => {
    asked.push([model, variant]);
    return Promise.resolve(model === 'm' ? { model, seen: 3, disagreements: [disagreement] } : null);
  },
};

async function call(operation: string, model: string, query = ''): Promise<{ status: number; body: string }> {
  const route = COMPARISON_ROUTES.find((each) => each.operation === operation)!;
  const call = { params: { model }, query: new URLSearchParams(query), body: null, actor: 'somebody' };
  // The routes use nothing else of it.
  return route.run({ comparisons } as unknown as ControlPlane, call);
}

describe('the routes of comparisons', () => {
  it('answer as they are described, and say which query they heed', async () => {
    const described = COMPARISON_ROUTES.map(({ operation, query = {} }) => [operation, Object.keys(query)]);
    expect(described).toEqual([
      ['readComparison', []],
      ['listDisagreements', ['variant']],
      ['listDisagreementValues', ['variant']],
    ]);
    for (const { operation, answers } of COMPARISON_ROUTES) {
      const { body } = await call(operation, 'm');
      expect(answers![200]!.schema!.parse(JSON.parse(body))).toEqual(JSON.parse(body));
    }
    asked.length = 0;
  });

  it('tell how variants answer beside stable', async () => {
    expect(JSON.parse((await call('readComparison', 'm')).body)).toEqual({
      model: 'm',
      stable: 'v1',
      agreeBy: 'argmax',
      pairs: [],
    });
    expect((await call('readComparison', 'none')).status).toBe(404);
  });

  it('show disagreements without the values of callers, but for those who may see what was recorded', async () => {
    const needs = Object.fromEntries(COMPARISON_ROUTES.map((route) => [route.operation, route.needs]));
    expect(needs).toEqual({ readComparison: 'view', listDisagreements: 'view', listDisagreementValues: 'security' });
    const bare = await call('listDisagreements', 'm', 'variant=v2');
    expect(bare.body).not.toContain(tensor.base64);
    expect(JSON.parse(bare.body)).toMatchObject({ seen: 3, disagreements: [{ requestId: 'r1', inputs: [{ sha256: 'ab' }] }] });
    expect((await call('listDisagreementValues', 'm')).body).toContain(tensor.base64);
    expect(asked).toEqual([
      ['m', 'v2'],
      ['m', ''],
    ]);
    const none = await call('listDisagreements', 'none', 'variant=v2');
    expect([none.status, none.body]).toEqual([404, expect.stringContaining('no variant \\"v2\\" of a model \\"none\\"')]);
  });
});
