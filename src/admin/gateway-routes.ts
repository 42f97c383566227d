import { parseReason } from '../config/admin-bodies.ts';
import type { ControlPlane } from '../core/control-plane.ts';
import { ACTOR, type AdminAnswer, json, problem, unaudited } from './admin-answer.ts';
import type { AdminCall } from './admin-routes.ts';

/** `POST keys/{id}/revoke` and `POST restart`: what concerns the gateway and no single model. */

export async function revokeKey(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  const body = parseReason(call.body ?? {});
  if (typeof body === 'string') return problem(400, 'Bad Request', body);
  const keyId = call.segments[1]!;
  const result = await plane.revokeKey({ keyId, actor: ACTOR, reason: body.reason });
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

export async function restart(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  const body = parseReason(call.body ?? {});
  if (typeof body === 'string') return problem(400, 'Bad Request', body);
  const result = await plane.restart({ actor: ACTOR, reason: body.reason });
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
