import { configAnswer, reloadAnswers } from '../config/admin-answers.ts';
import { type ChangeBody, changeBody } from '../config/admin-bodies.ts';
import type { ControlPlane } from '../core/control-plane.ts';
import { type AdminAnswer, json, problem, unaudited } from './admin-answer.ts';
import type { AdminCall, AdminRoute } from './admin-route.ts';

/** The config in force. */
export const CONFIG_ROUTES: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: 'config',
    operation: 'readConfig',
    summary: 'The config in force with its defaults; secrets are masked.',
    needs: 'view',
    body: null,
    answers: { 200: { means: 'The config.', schema: configAnswer } },
    run: (plane) => json(200, plane.config.shown()),
  },
  {
    method: 'POST',
    path: 'config/reload',
    operation: 'reloadConfig',
    summary: 'Takes over the config file as it is now, with certificates and secrets; all of it or nothing.',
    needs: 'owner',
    body: changeBody,
    answers: {
      200: { means: 'What changed, or would.', schema: reloadAnswers },
      422: { means: 'Why the config in force stays.', schema: null },
    },
    run: reload,
  },
];

async function reload(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  const result = await plane.config.reload({ actor: call.actor, ...(call.body as ChangeBody) });
  switch (result.is) {
    case 'applied':
      return json(200, { generation: result.generation, changed: result.changed });
    case 'preview':
      return json(200, { dryRun: true, changed: result.changed });
    case 'refused':
      return problem(422, 'Unprocessable Content', `The config in force stays: ${result.problem}`);
    case 'busy':
      return problem(409, 'Conflict', 'The config is being taken over already; ask again when that is done.');
    case 'unaudited':
      return unaudited(result.problem);
    default:
      return result satisfies never;
  }
}
