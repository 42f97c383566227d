import { type ReasonBody, reasonBody } from '../config/admin-bodies.ts';
import type { ControlPlane } from '../core/control-plane.ts';
import { type AdminAnswer, json, problem, unaudited } from './admin-answer.ts';
import type { AdminCall, AdminRoute } from './admin-route.ts';

/** What concerns the gateway and no single model. */
export const GATEWAY_ROUTES: readonly AdminRoute[] = [
  {
    method: 'POST',
    path: 'keys/{id}/revoke',
    operation: 'revokeKey',
    summary: 'The key opens nothing from the answer on, also after a restart.',
    needs: 'keys',
    body: reasonBody,
    run: revokeKey,
  },
  {
    method: 'GET',
    path: 'workers',
    operation: 'listWorkers',
    summary: 'Each process that serves, with its state, memory and CPU time.',
    needs: 'view',
    body: null,
    run: (plane) => json(200, { workers: plane.workers() }),
  },
  {
    method: 'GET',
    path: 'requests/{id}',
    operation: 'explainRequest',
    summary: 'What is still known of the requests with this id: placement, what each phase decided, failed tries, durations.',
    needs: 'view',
    body: null,
    run: explainRequest,
  },
  {
    method: 'POST',
    path: 'restart',
    operation: 'restart',
    summary: 'A new generation of workers in the place of the old one, without losing a request.',
    needs: 'owner',
    body: reasonBody,
    run: restart,
  },
];

async function revokeKey(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  const { reason } = call.body as ReasonBody;
  const keyId = call.params['id']!;
  const result = await plane.revokeKey({ keyId, actor: call.actor, reason });
  switch (result.is) {
    case 'applied':
      return json(200, { key: keyId, revoked: true, workers: result.workers, unkept: result.unkept });
    case 'unknown':
      return problem(404, 'Not Found', `There is no key with the id "${keyId}" in the config.`);
    case 'unaudited':
      return unaudited(result.problem);
    default:
      return result satisfies never;
  }
}

async function restart(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  const { reason } = call.body as ReasonBody;
  const result = await plane.restart({ actor: call.actor, reason });
  switch (result.is) {
    case 'applied':
      return json(200, { generation: result.generation, workers: result.workers });
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
