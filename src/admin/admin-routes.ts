import { backendsAnswer, documentAnswer, purgeAnswers, usageAnswer } from '../config/admin-answers.ts';
import { type PurgeBody, purgeBody } from '../config/admin-bodies.ts';
import type { ControlPlane } from '../core/control-plane.ts';
import { ACCESS_ROUTES } from './access-routes.ts';
import { type AdminAnswer, json, unaudited } from './admin-answer.ts';
import type { AdminCall, AdminRoute } from './admin-route.ts';
import { AUDIT_ROUTES } from './audit-routes.ts';
import { COMPARISON_ROUTES } from './comparison-routes.ts';
import { CONFIG_ROUTES } from './config-routes.ts';
import { GATEWAY_ROUTES } from './gateway-routes.ts';
import { describeApi } from './openapi.ts';
import { PLAN_ROUTES } from './plan-routes.ts';
import { ROLLOUT_ROUTES } from './rollout-routes.ts';
import { VARIANT_ROUTES } from './variant-routes.ts';

/** Everything the admin API can do. */
export const ADMIN_ROUTES: readonly AdminRoute[] = [
  ...PLAN_ROUTES,
  ...VARIANT_ROUTES,
  ...COMPARISON_ROUTES,
  ...ROLLOUT_ROUTES,
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
