import { parseReason, parseUnload } from '../config/admin-bodies.ts';
import type { ControlPlane, VariantResult } from '../core/control-plane.ts';
import { ACTOR, type AdminAnswer, json, problem, unaudited } from './admin-answer.ts';
import type { AdminCall } from './admin-routes.ts';

/**
 * `POST models/{m}/variants/{v}/load` and `/unload`, for variants that config names. A body with anything more than a reason is refused:
 * files and configurations of models come from the operator's disk and never over the wire.
 */

export async function loadVariant(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  const body = parseReason(call.body ?? {});
  if (typeof body === 'string') return problem(400, 'Bad Request', body);
  const [, model, , variant] = call.segments;
  return answerOf(await plane.load({ model: model!, variant: variant!, force: false, actor: ACTOR, reason: body.reason }), call);
}

export async function unloadVariant(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  const body = parseUnload(call.body ?? {});
  if (typeof body === 'string') return problem(400, 'Bad Request', body);
  const [, model, , variant] = call.segments;
  return answerOf(await plane.unload({ model: model!, variant: variant!, actor: ACTOR, ...body }), call);
}

function answerOf(result: VariantResult, call: AdminCall): AdminAnswer {
  const [, model, , variant] = call.segments;
  switch (result.is) {
    case 'applied':
      // Accepted, and not done yet: the model is a large one.
      return json(result.variant.readiness === 'warming' ? 202 : 200, {
        model,
        variant: result.variant,
        workers: result.workers,
      });
    case 'unknown':
      return problem(404, 'Not Found', `There is no variant "${variant}" of a model "${model}"; see GET /admin/v1/plans.`);
    case 'busy':
      return problem(409, 'Conflict', 'Another change of this variant is under way; ask again when it is done.');
    case 'needed':
      return problem(409, 'Conflict', result.problem);
    case 'failed':
      return problem(502, 'Bad Gateway', `The variant is not ready: ${result.problem}`);
    case 'unaudited':
      return unaudited(result.problem);
    default:
      return result satisfies never;
  }
}
