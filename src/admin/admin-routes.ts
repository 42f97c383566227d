import { parsePurge, parseWeightChange } from '../config/admin-bodies.ts';
import type { ControlPlane } from '../core/control-plane.ts';
import { ACTOR, type AdminAnswer, json, problem, unaudited } from './admin-answer.ts';
import { restart, revokeKey } from './gateway-routes.ts';
import { loadVariant, unloadVariant } from './variant-routes.ts';

/** What a route sees of a request. `body` is parsed JSON, null when there was none. */
export interface AdminCall {
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly body: unknown;
}

export interface AdminRoute {
  readonly method: string;
  /** Path below `/admin/v1`; `*` stands for one segment. */
  readonly path: readonly string[];
  run(plane: ControlPlane, call: AdminCall): AdminAnswer | Promise<AdminAnswer>;
}

/** Everything the admin API can do. */
export const ADMIN_ROUTES: readonly AdminRoute[] = [
  { method: 'GET', path: ['plans'], run: async (plane) => json(200, { plans: await plane.plans() }) },
  { method: 'GET', path: ['plans', '*'], run: (plane, call) => readPlan(plane, call) },
  { method: 'PUT', path: ['plans', '*', 'weights'], run: (plane, call) => changeWeights(plane, call) },
  { method: 'POST', path: ['models', '*', 'variants', '*', 'load'], run: (plane, call) => loadVariant(plane, call) },
  { method: 'POST', path: ['models', '*', 'variants', '*', 'unload'], run: (plane, call) => unloadVariant(plane, call) },
  { method: 'GET', path: ['backends'], run: async (plane) => json(200, { backends: await plane.backends() }) },
  {
    method: 'GET',
    path: ['usage'],
    run: async (plane, call) => json(200, { usage: await plane.usage(call.query.get('tenant') ?? '') }),
  },
  { method: 'POST', path: ['cache', 'purge'], run: (plane, call) => purge(plane, call) },
  { method: 'POST', path: ['keys', '*', 'revoke'], run: (plane, call) => revokeKey(plane, call) },
  { method: 'GET', path: ['workers'], run: (plane) => json(200, { workers: plane.workers() }) },
  { method: 'POST', path: ['restart'], run: (plane, call) => restart(plane, call) },
];

async function readPlan(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  const model = call.segments[1]!;
  const plan = (await plane.plans()).find((candidate) => candidate.model === model);
  return plan === undefined ? noModel(plane, model) : json(200, plan);
}

async function changeWeights(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  const model = call.segments[1]!;
  const body = parseWeightChange(call.body);
  if (typeof body === 'string') return problem(400, 'Bad Request', body);
  const result = await plane.changeWeights({
    model,
    expectedRevision: body.expectedRevision,
    weights: new Map(Object.entries(body.weightsBp)),
    actor: ACTOR,
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
  const body = parsePurge(call.body ?? {});
  if (typeof body === 'string') return problem(400, 'Bad Request', body);
  const result = await plane.purgeCache({ ...body, actor: ACTOR });
  if (result.is === 'unaudited') return unaudited(result.problem);
  return json(200, { purged: result.purged, workers: result.workers });
}

async function noModel(plane: ControlPlane, model: string): Promise<AdminAnswer> {
  const known = (await plane.plans()).map((plan) => plan.model);
  return problem(404, 'Not Found', `There is no model "${model}"; there are ${known.join(', ')}.`);
}
