import { comparisonAnswer, disagreementsAnswer } from '../config/comparison-answers.ts';
import type { Disagreement, KeptTensor } from '../core/comparison.ts';
import type { ControlPlane } from '../core/control-plane.ts';
import { type AdminAnswer, json, problem } from './admin-answer.ts';
import type { AdminCall, AdminRoute, DescribedAnswer } from './admin-route.ts';

const OF_VARIANT = { variant: 'Only those of this variant.' };
const FOUND: Readonly<Record<number, DescribedAnswer>> = {
  200: { means: 'The sample, newest first.', schema: disagreementsAnswer },
};

/** How canaries and shadows answer beside stable. Values of callers' tensors are for those alone who may read what was recorded. */
export const COMPARISON_ROUTES: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: 'models/{model}/comparison',
    operation: 'readComparison',
    summary: "Agreement, differences, score drift, errors, latency and cost of each variant against stable's answers.",
    needs: 'view',
    body: null,
    answers: { 200: { means: 'Each pair of which answers were compared.', schema: comparisonAnswer } },
    run: readComparison,
  },
  {
    method: 'GET',
    path: 'models/{model}/disagreements',
    operation: 'listDisagreements',
    summary: 'A sample of the answers that disagreed, without values of tensors.',
    needs: 'view',
    body: null,
    query: OF_VARIANT,
    answers: FOUND,
    run: (plane, call) => listDisagreements(plane, call, withoutValues),
  },
  {
    method: 'GET',
    path: 'models/{model}/disagreements/values',
    operation: 'listDisagreementValues',
    summary: 'The same with the values of tensors, where the config keeps them.',
    needs: 'security',
    body: null,
    query: OF_VARIANT,
    answers: FOUND,
    run: (plane, call) => listDisagreements(plane, call, (disagreement) => disagreement),
  },
];

async function readComparison(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  const model = call.params['model']!;
  const view = await plane.comparisons.read(model);
  if (view === null) return problem(404, 'Not Found', `There is no model "${model}"; see GET /admin/v1/plans.`);
  return json(200, view);
}

async function listDisagreements(
  plane: ControlPlane,
  { params, query }: AdminCall,
  shown: (disagreement: Disagreement) => Disagreement,
): Promise<AdminAnswer> {
  const model = params['model']!;
  const variant = query.get('variant') ?? '';
  const view = await plane.comparisons.disagreements(model, variant);
  if (view === null) {
    const what = variant === '' ? `model "${model}"` : `variant "${variant}" of a model "${model}"`;
    return problem(404, 'Not Found', `There is no ${what}; see GET /admin/v1/plans.`);
  }
  return json(200, { ...view, disagreements: view.disagreements.map(shown) });
}

function withoutValues(disagreement: Disagreement): Disagreement {
  const bare = (tensors: readonly KeptTensor[]): readonly KeptTensor[] => tensors.map((tensor) => ({ ...tensor, base64: '' }));
  const { inputs, stableOutputs, variantOutputs } = disagreement;
  return {
    ...disagreement,
    inputs: bare(inputs),
    stableOutputs: bare(stableOutputs),
    variantOutputs: bare(variantOutputs),
  };
}
