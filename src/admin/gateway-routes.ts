import { restartAnswers, workersAnswer } from '../config/admin-answers.ts';
import { type ChangeBody, changeBody } from '../config/admin-bodies.ts';
import { requestsAnswer } from '../config/request-answers.ts';
import type { ControlPlane } from '../core/control-plane.ts';
import { type AdminAnswer, json, problem, unaudited } from './admin-answer.ts';
import type { AdminCall, AdminRoute } from './admin-route.ts';

/** The processes that serve. */
export const GATEWAY_ROUTES: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: 'workers',
    operation: 'listWorkers',
    summary: 'Each process that serves, with its state, memory and CPU time.',
    needs: 'view',
    body: null,
    answers: { 200: { means: 'Every worker.', schema: workersAnswer } },
    run: (plane) => json(200, { workers: plane.workers() }),
  },
  {
    method: 'GET',
    path: 'requests/{id}',
    operation: 'explainRequest',
    summary: 'What is still known of the requests with this id: placement, what each phase decided, failed tries, durations.',
    needs: 'view',
    body: null,
    answers: { 200: { means: 'Those of this id, the latest first.', schema: requestsAnswer } },
    run: explainRequest,
  },
  {
    method: 'POST',
    path: 'restart',
    operation: 'restart',
    summary: 'A new generation of workers in the place of the old one, without losing a request.',
    needs: 'owner',
    body: changeBody,
    answers: {
      200: { means: 'The new workers serve, or what would be replaced.', schema: restartAnswers },
      502: { means: 'The former workers go on.', schema: null },
    },
    run: restart,
  },
];

async function restart(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  const result = await plane.restart({ actor: call.actor, ...(call.body as ChangeBody) });
  switch (result.is) {
    case 'applied':
      return json(200, { generation: result.generation, workers: result.workers });
    case 'preview':
      return json(200, { dryRun: true, generation: result.generation, wouldReplace: result.workers });
    case 'busy':
      return problem(409, 'Conflict', 'New workers are being started already; ask again when they serve.');
    case 'failed':
      return problem(502, 'Bad Gateway', `The former workers go on, since the new ones could not take over: ${result.problem}`);
    case 'unaudited':
      return unaudited(result.problem);
    default:
      return result satisfies never;
  }
}

async function explainRequest(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  const id = call.params['id']!;
  const requests = await plane.explain(id);
  if (requests.length > 0) return json(200, { requests });
  return problem(
    404,
    'Not Found',
    `No worker remembers a request "${id}". Each remembers its last telemetry.explainRequests, and none from before it began; older ones are in the access log.`,
  );
}
