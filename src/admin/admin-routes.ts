import { type PurgeBody, purgeBody, type WeightChangeBody, weightChangeBody } from '../config/admin-bodies.ts';
import type { ControlPlane } from '../core/control-plane.ts';
import { type AdminAnswer, json, problem, unaudited } from './admin-answer.ts';
import type { AdminCall, AdminRoute } from './admin-route.ts';
import { GATEWAY_ROUTES } from './gateway-routes.ts';
import { VARIANT_ROUTES } from './variant-routes.ts';

/** Everything the admin API can do. */
export const ADMIN_ROUTES: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: 'plans',
    operation: 'listPlans',
    summary: 'Weights, states, attempts and failures of every model.',
    needs: 'view',
    body: null,
    run: async (plane) => json(200, { plans: await plane.plans() }),
  },
  {
    method: 'GET',
    path: 'plans/{model}',
    operation: 'readPlan',
    summary: 'The plan of one model.',
    needs: 'view',
    body: null,
    run: readPlan,
  },
  {
    method: 'PUT',
    path: 'plans/{model}/weights',
    operation: 'changeWeights',
    summary: 'New weights; refused when someone was faster.',
    needs: 'traffic',
    body: weightChangeBody,
    run: changeWeights,
  },
  ...VARIANT_ROUTES,
  {
    method: 'GET',
    path: 'backends',
    operation: 'listBackends',
    summary: 'Every backend, asked now.',
    needs: 'view',
    body: null,
    run: async (plane) => json(200, { backends: await plane.backends() }),
  },
  {
    method: 'GET',
    path: 'usage',
    operation: 'readUsage',
    summary: 'Requests, rows, bytes and cost by tenant and model.',
    needs: 'view',
    body: null,
    run: async (plane, call) => json(200, { usage: await plane.usage(call.query.get('tenant') ?? '') }),
  },
  {
    method: 'POST',
    path: 'cache/purge',
    operation: 'purgeCache',
    summary: 'Drops the cached answers of one model, or of all.',
    needs: 'traffic',
    body: purgeBody,
    run: purge,
  },
  ...GATEWAY_ROUTES,
];

async function readPlan(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  const model = call.params['model']!;
  const plan = (await plane.plans()).find((candidate) => candidate.model === model);
  return plan === undefined ? noModel(plane, model) : json(200, plan);
}

async function changeWeights(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  const model = call.params['model']!;
  const body = call.body as WeightChangeBody;
  const result = await plane.changeWeights({
    model,
    expectedRevision: body.expectedRevision,
    weights: new Map(Object.entries(body.weightsBp)),
    actor: call.actor,
    reason: body.reason,
  });
  switch (result.is) {
    case 'applied':
      return json(200, { ...result.plan, workers: result.workers });
    case 'unknown':
      return noModel(plane, model);
    case 'conflict':
      return problem(
        409,
        'Conflict',
        `The plan is at revision ${result.revision}, not ${body.expectedRevision}; read it again and decide anew.`,
      );
    case 'invalid':
      return problem(422, 'Unprocessable Content', result.problems.join('; '));
    case 'unaudited':
      return unaudited(result.problem);
    default:
      return result satisfies never;
  }
}

async function purge(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  const result = await plane.purgeCache({ ...(call.body as PurgeBody), actor: call.actor });
  if (result.is === 'unaudited') return unaudited(result.problem);
  return json(200, { purged: result.purged, workers: result.workers });
}

async function noModel(plane: ControlPlane, model: string): Promise<AdminAnswer> {
  const known = (await plane.plans()).map((plan) => plan.model);
  return problem(404, 'Not Found', `There is no model "${model}"; there are ${known.join(', ')}.`);
}
