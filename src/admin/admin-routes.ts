import {
  backendsAnswer,
  changedPlanAnswer,
  documentAnswer,
  planAnswer,
  plansAnswer,
  purgeAnswers,
  usageAnswer,
} from '../config/admin-answers.ts';
import { type PurgeBody, purgeBody, type WeightChangeBody, weightChangeBody } from '../config/admin-bodies.ts';
import type { ControlPlane } from '../core/control-plane.ts';
import { ACCESS_ROUTES } from './access-routes.ts';
import { type AdminAnswer, json, problem, unaudited } from './admin-answer.ts';
import type { AdminCall, AdminRoute } from './admin-route.ts';
import { AUDIT_ROUTES } from './audit-routes.ts';
import { COMPARISON_ROUTES } from './comparison-routes.ts';
import { CONFIG_ROUTES } from './config-routes.ts';
import { GATEWAY_ROUTES } from './gateway-routes.ts';
import { describeApi } from './openapi.ts';
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
    answers: { 200: { means: 'Every plan.', schema: plansAnswer } },
    run: async (plane) => json(200, { plans: await plane.plans() }),
  },
  {
    method: 'GET',
    path: 'plans/{model}',
    operation: 'readPlan',
    summary: 'The plan of one model.',
    needs: 'view',
    body: null,
    answers: { 200: { means: 'The plan.', schema: planAnswer } },
    run: readPlan,
  },
  {
    method: 'PUT',
    path: 'plans/{model}/weights',
    operation: 'changeWeights',
    summary: 'New weights; refused when someone was faster.',
    needs: 'traffic',
    body: weightChangeBody,
    answers: {
      200: { means: 'The new plan is in force.', schema: changedPlanAnswer },
      409: { means: 'Someone was faster.', schema: null },
      422: { means: 'No plan can have these weights.', schema: null },
    },
    run: changeWeights,
  },
  ...VARIANT_ROUTES,
  ...COMPARISON_ROUTES,
  {
    method: 'GET',
    path: 'backends',
    operation: 'listBackends',
    summary: 'Every backend, asked now.',
    needs: 'view',
    body: null,
    answers: { 200: { means: 'Every backend.', schema: backendsAnswer } },
    run: async (plane) => json(200, { backends: await plane.backends() }),
  },
  {
    method: 'GET',
    path: 'usage',
    operation: 'readUsage',
    summary: 'Requests, rows, bytes and cost by tenant and model.',
    needs: 'view',
    body: null,
    query: { tenant: 'Only of this tenant.' },
    answers: { 200: { means: 'Totals since the start.', schema: usageAnswer } },
    run: async (plane, call) => json(200, { usage: await plane.usage(call.query.get('tenant') ?? '') }),
  },
  {
    method: 'POST',
    path: 'cache/purge',
    operation: 'purgeCache',
    summary: 'Drops the cached answers of one model, or of all.',
    needs: 'traffic',
    body: purgeBody,
    answers: { 200: { means: 'Dropped, or how many would be.', schema: purgeAnswers } },
    run: purge,
  },
  ...ACCESS_ROUTES,
  ...GATEWAY_ROUTES,
  ...CONFIG_ROUTES,
  ...AUDIT_ROUTES,
  {
    method: 'GET',
    path: 'openapi.json',
    operation: 'describeApi',
    summary: 'This API as an OpenAPI 3.1 document.',
    needs: 'view',
    body: null,
    answers: { 200: { means: 'The document.', schema: documentAnswer } },
    run: () => json(200, document()),
  },
];

let described: object | null = null;

function document(): object {
  described ??= describeApi(ADMIN_ROUTES);
  return described;
}

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
  switch (result.is) {
    case 'applied':
      return json(200, { purged: result.purged, workers: result.workers });
    case 'preview':
      return json(200, { dryRun: true, wouldPurge: result.entries });
    case 'unaudited':
      return unaudited(result.problem);
    default:
      return result satisfies never;
  }
}

async function noModel(plane: ControlPlane, model: string): Promise<AdminAnswer> {
  const known = (await plane.plans()).map((plan) => plan.model);
  return problem(404, 'Not Found', `There is no model "${model}"; there are ${known.join(', ')}.`);
}
