import { loadAnswers } from '../config/admin-answers.ts';
import { type ChangeBody, changeBody, type UnloadBody, unloadBody } from '../config/admin-bodies.ts';
import type { ControlPlane, VariantResult } from '../core/control-plane.ts';
import { type AdminAnswer, json, problem, unaudited } from './admin-answer.ts';
import type { AdminCall, AdminRoute, DescribedAnswer } from './admin-route.ts';

/**
 * `POST models/{m}/variants/{v}/load` and `/unload`, for variants that config names. A body with anything more than a reason is refused:
 * files and configurations of models come from the operator's disk and never over the wire.
 */

const ANSWERS: Readonly<Record<number, DescribedAnswer>> = {
  200: { means: 'Done, or what would be done.', schema: loadAnswers },
  202: { means: 'It is loading.', schema: loadAnswers },
  409: { means: 'It carries traffic, or another change of it is under way.', schema: null },
  502: { means: 'It is not ready.', schema: null },
};

export const VARIANT_ROUTES: readonly AdminRoute[] = [
  {
    method: 'POST',
    path: 'models/{model}/variants/{variant}/load',
    operation: 'loadVariant',
    summary: 'Warms a variant that is not ready.',
    needs: 'traffic',
    body: changeBody,
    answers: ANSWERS,
    run: loadVariant,
  },
  {
    method: 'POST',
    path: 'models/{model}/variants/{variant}/unload',
    operation: 'unloadVariant',
    summary: 'Takes a variant out of traffic, and closes its backend when its calls have ended.',
    needs: 'traffic',
    body: unloadBody,
    answers: ANSWERS,
    run: unloadVariant,
  },
];

async function loadVariant(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  return answerOf(await plane.load({ ...nameIn(call), force: false, actor: call.actor, ...(call.body as ChangeBody) }), call);
}

async function unloadVariant(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  return answerOf(await plane.unload({ ...nameIn(call), actor: call.actor, ...(call.body as UnloadBody) }), call);
}

function nameIn({ params }: AdminCall): { readonly model: string; readonly variant: string } {
  return { model: params['model']!, variant: params['variant']! };
}

function answerOf(result: VariantResult, call: AdminCall): AdminAnswer {
  const { model, variant } = nameIn(call);
  switch (result.is) {
    case 'applied':
      // Accepted, and not done yet: the model is a large one.
      return json(result.variant.readiness === 'warming' ? 202 : 200, {
        model,
        variant: result.variant,
        workers: result.workers,
      });
    case 'preview':
      return json(200, { dryRun: true, model, variant: result.variant, would: result.would });
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
