import { historyAnswer, planAnswer, planChangeAnswers, plansAnswer, revisionAnswer } from '../config/plan-answers.ts';
import {
  type PlanChangeBody,
  planChangeBody,
  type RollbackBody,
  rollbackBody,
  type SwitchBody,
  switchBody,
  type WeightChangeBody,
  weightChangeBody,
} from '../config/plan-bodies.ts';
import type { ControlPlane } from '../core/control-plane.ts';
import type { PlanOrder, PlanResult } from '../core/plan-control.ts';
import { type AdminAnswer, json, noModel, problem, unaudited } from './admin-answer.ts';
import type { AdminCall, AdminRoute, DescribedAnswer } from './admin-route.ts';

const CHANGED: Readonly<Record<number, DescribedAnswer>> = {
  200: { means: 'The new plan is in force, or what would become of it.', schema: planChangeAnswers },
  409: { means: 'Someone was faster.', schema: null },
  422: { means: 'There can be no such plan.', schema: null },
};

/** Where traffic goes now, how that is changed, and where it went before. */
export const PLAN_ROUTES: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: 'plans',
    operation: 'listPlans',
    summary: 'Weights, pins, fallbacks, states, attempts and failures of every model.',
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
    path: 'plans/{model}',
    operation: 'changePlan',
    summary: 'New weights, pins or fallbacks; refused when someone was faster.',
    needs: 'traffic',
    body: planChangeBody,
    answers: CHANGED,
    run: changePlan,
  },
  {
    method: 'PUT',
    path: 'plans/{model}/weights',
    operation: 'changeWeights',
    summary: 'New weights; refused when someone was faster.',
    needs: 'traffic',
    body: weightChangeBody,
    answers: CHANGED,
    run: changePlan,
  },
  {
    method: 'POST',
    path: 'plans/{model}/switch',
    operation: 'switchPlan',
    summary: 'All traffic to one variant.',
    needs: 'traffic',
    body: switchBody,
    answers: CHANGED,
    run: switchPlan,
  },
  {
    method: 'POST',
    path: 'plans/{model}/rollback',
    operation: 'rollBackPlan',
    summary: 'Back to an earlier plan, with the place of every caller as it was.',
    needs: 'traffic',
    body: rollbackBody,
    answers: CHANGED,
    run: rollBackPlan,
  },
  {
    method: 'GET',
    path: 'plans/{model}/history',
    operation: 'listRevisions',
    summary: 'The plans that were in force, newest first, with who, when and why.',
    needs: 'view',
    body: null,
    query: { limit: 'At most so many; 50 without it.' },
    answers: { 200: { means: 'The plans, newest first.', schema: historyAnswer } },
    run: listRevisions,
  },
  {
    method: 'GET',
    path: 'plans/{model}/history/{revision}',
    operation: 'readRevision',
    summary: 'One plan that was in force, with who had which slots.',
    needs: 'view',
    body: null,
    answers: { 200: { means: 'The plan.', schema: revisionAnswer } },
    run: readRevision,
  },
];

const DEFAULT_LIMIT = 50;

async function readPlan(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  const model = call.params['model']!;
  const plan = (await plane.plans()).find((candidate) => candidate.model === model);
  return plan === undefined ? noModel(plane, model) : json(200, plan);
}

async function changePlan(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  const body: PlanChangeBody = { ...NO_CHANGE, ...(call.body as WeightChangeBody | PlanChangeBody) };
  const { weightsBp, pins, fallbacks } = body;
  const weights = weightsBp === null ? null : new Map(Object.entries(weightsBp));
  const result = await plane.traffic.change({ ...orderOf(call, body), cause: 'admin', weights, pins, fallbacks });
  return answerOf(plane, result, orderOf(call, body));
}

const NO_CHANGE = { weightsBp: null, pins: null, fallbacks: null };

async function switchPlan(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  const body = call.body as SwitchBody;
  const order = orderOf(call, body);
  return answerOf(plane, await plane.traffic.switchTo({ ...order, variant: body.variant }), order);
}

async function rollBackPlan(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  const body = call.body as RollbackBody;
  const order = orderOf(call, body);
  return answerOf(plane, await plane.traffic.rollBack({ ...order, toRevision: body.toRevision }), order);
}

type OrderBody = Pick<PlanOrder, 'expectedRevision' | 'dryRun' | 'reason'>;

function orderOf({ params, actor }: AdminCall, { expectedRevision, dryRun, reason }: OrderBody): PlanOrder {
  return { model: params['model']!, actor, expectedRevision, dryRun, reason };
}

function answerOf(plane: ControlPlane, result: PlanResult, order: PlanOrder): AdminAnswer | Promise<AdminAnswer> {
  switch (result.is) {
    case 'applied': {
      const { movedBp, moves } = result.effect;
      return json(200, { ...result.plan, movedBp, moves, workers: result.workers, unkept: result.unkept });
    }
    case 'planned':
      return json(200, { dryRun: true, model: order.model, ...result.effect });
    case 'unknown':
      return noModel(plane, order.model);
    case 'conflict': {
      const seen = order.expectedRevision === null ? 'since somebody else has just changed it' : `not ${order.expectedRevision}`;
      return problem(409, 'Conflict', `The plan is at revision ${result.revision}, ${seen}; read it again and decide anew.`);
    }
    case 'invalid':
      return problem(422, 'Unprocessable Content', result.problems.join('; '));
    case 'absent':
      return problem(404, 'Not Found', result.problem);
    case 'unread':
      return unread(result.problem);
    case 'unaudited':
      return unaudited(result.problem);
    case 'unkept':
      return problem(
        503,
        'Service Unavailable',
        `Nothing was changed, since the history of plans could not be written: ${result.problem}`,
      );
    default:
      return result satisfies never;
  }
}

const unread = (why: string): AdminAnswer =>
  problem(503, 'Service Unavailable', `The history of plans could not be read: ${why}`);

async function listRevisions(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  const model = call.params['model']!;
  const asked = call.query.get('limit') ?? String(DEFAULT_LIMIT);
  const limit = /^\d{1,6}$/.test(asked) ? Number(asked) : 0;
  if (limit === 0) return problem(400, 'Bad Request', `limit: found "${asked}"; expected a whole number from 1 to 999999.`);
  const history = await plane.traffic.history(model, limit);
  return history === null ? noModel(plane, model) : json(200, history);
}

async function readRevision(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  const { model, revision } = call.params as { readonly model: string; readonly revision: string };
  // Revisions begin with 1.
  const result = await plane.traffic.revision(model, /^\d{1,15}$/.test(revision) ? Number(revision) : 0);
  switch (result.is) {
    case 'found':
      return json(200, { model, ...result.revision, slots: result.slots });
    case 'unknown':
      return noModel(plane, model);
    case 'absent':
      return problem(404, 'Not Found', result.problem);
    case 'unread':
      return unread(result.problem);
    default:
      return result satisfies never;
  }
}
