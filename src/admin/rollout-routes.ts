import { type ReasonBody, reasonBody } from '../config/admin-bodies.ts';
import { movedRolloutAnswer, rolloutAnswer, rolloutsAnswer } from '../config/rollout-answers.ts';
import { type RolloutStartBody, rolloutStartBody } from '../config/rollout-bodies.ts';
import type { ControlPlane } from '../core/control-plane.ts';
import type { RolloutAction, RolloutControl, RolloutResult } from '../core/rollout.ts';
import { type AdminAnswer, json, problem, unaudited } from './admin-answer.ts';
import type { AdminCall, AdminRoute, DescribedAnswer } from './admin-route.ts';

const REFUSED: Readonly<Record<number, DescribedAnswer>> = {
  409: { means: 'It is not in a state for that, or another rollout of the model is under way.', schema: null },
};

/** Rollouts: started, watched, and taken into people's own hands. */
export const ROLLOUT_ROUTES: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: 'rollouts',
    operation: 'listRollouts',
    summary: 'Rollouts under way and those that are over, the latest first.',
    needs: 'view',
    body: null,
    query: { model: 'Only those of this model.' },
    answers: { 200: { means: 'The rollouts.', schema: rolloutsAnswer } },
    run: list,
  },
  {
    method: 'GET',
    path: 'rollouts/{id}',
    operation: 'readRollout',
    summary: 'One rollout: its step, its judgement and how it came there.',
    needs: 'view',
    body: null,
    answers: { 200: { means: 'The rollout.', schema: rolloutAnswer } },
    run: read,
  },
  {
    method: 'POST',
    path: 'rollouts',
    operation: 'startRollout',
    summary: 'Grows the share of a canary step by step, under the eyes of a judge.',
    needs: 'traffic',
    body: rolloutStartBody,
    answers: {
      ...REFUSED,
      201: { means: 'Its first step is in force, or waits for approval.', schema: movedRolloutAnswer },
      422: { means: 'The model has no such canary, or it is not ready, or no plan can have these steps.', schema: null },
    },
    run: start,
  },
  actionRoute('pause', 'Keeps the weights as they are and stops judging.', (control, action) => control.pause(action)),
  actionRoute('resume', 'Judges a paused rollout again; its step begins anew.', (control, action) => control.resume(action)),
  actionRoute('approve', 'Approves the next step, once for each person.', (control, action) => control.approve(action)),
  actionRoute(
    'promote',
    'On to the next step whatever the judge says, but not without the approvals it needs.',
    (control, action) => control.promote(action),
  ),
  actionRoute('abort', 'Gives the canary back the share it had before the first step.', (control, action) =>
    control.abort(action),
  ),
];

function actionRoute(
  word: string,
  summary: string,
  act: (control: RolloutControl, action: RolloutAction) => Promise<RolloutResult>,
): AdminRoute {
  return {
    method: 'POST',
    path: `rollouts/{id}/${word}`,
    operation: `${word}Rollout`,
    summary,
    needs: 'traffic',
    body: reasonBody,
    answers: {
      ...REFUSED,
      200: { means: 'Done.', schema: movedRolloutAnswer },
      503: { means: 'Nothing was changed; or it is on record and is tried again, as the detail says.', schema: null },
    },
    async run(plane, call) {
      const id = call.params['id']!;
      const { reason } = call.body as ReasonBody;
      const result = await act(plane.rollouts, { id, actor: call.actor, reason });
      return answerOf(result, 200, noRollout(id));
    },
  };
}

function list(plane: ControlPlane, call: AdminCall): AdminAnswer {
  const model = call.query.get('model') ?? '';
  const all = plane.rollouts.list();
  return json(200, { rollouts: model === '' ? all : all.filter(({ spec }) => spec.model === model) });
}

function read(plane: ControlPlane, call: AdminCall): AdminAnswer {
  const id = call.params['id']!;
  const rollout = plane.rollouts.find(id);
  return rollout === null ? noRollout(id) : json(200, rollout);
}

async function start(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  const body = call.body as RolloutStartBody;
  const result = await plane.rollouts.start({ ...body, actor: call.actor });
  return answerOf(result, 201, problem(404, 'Not Found', `There is no model "${body.model}"; see GET /admin/v1/plans.`));
}

function answerOf(result: RolloutResult, status: number, unknown: AdminAnswer): AdminAnswer {
  switch (result.is) {
    case 'applied':
      return json(status, { ...result.rollout, workers: result.workers });
    case 'unknown':
      return unknown;
    case 'conflict':
      return problem(409, 'Conflict', `Nothing was changed: ${result.problem}.`);
    case 'invalid':
      return problem(422, 'Unprocessable Content', result.problems.join('; '));
    case 'unaudited':
      return unaudited(result.problem);
    case 'unkept':
      return problem(503, 'Service Unavailable', `Nothing was changed, since it cannot be kept on disk: ${result.problem}`);
    case 'delayed': {
      const detail = `It is on record, and the share of the canary could not be set yet: ${result.problem}. That is tried again at each look; see GET /admin/v1/rollouts.`;
      return problem(503, 'Service Unavailable', detail);
    }
    default:
      return result satisfies never;
  }
}

const noRollout = (id: string): AdminAnswer =>
  problem(404, 'Not Found', `There is no rollout "${id}"; see GET /admin/v1/rollouts.`);
