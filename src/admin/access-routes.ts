import { issueAnswers, keysAnswer, revokeAnswers, tenantsAnswer } from '../config/admin-answers.ts';
import { type ChangeBody, changeBody, type IssueKeyBody, issueKeyBody } from '../config/admin-bodies.ts';
import type { ControlPlane } from '../core/control-plane.ts';
import { type AdminAnswer, json, jsonOnce, problem, unaudited } from './admin-answer.ts';
import type { AdminCall, AdminRoute } from './admin-route.ts';

/** Tenants and the keys of their callers. */
export const ACCESS_ROUTES: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: 'tenants',
    operation: 'listTenants',
    summary: 'Every tenant with its limits, and how many keys of it open something.',
    needs: 'view',
    body: null,
    answers: { 200: { means: 'Every tenant.', schema: tenantsAnswer } },
    run: (plane) => json(200, { tenants: plane.access.tenants() }),
  },
  {
    method: 'GET',
    path: 'keys',
    operation: 'listKeys',
    summary: 'Every API key by its id, with what it may do; neither secrets nor digests.',
    needs: 'view',
    body: null,
    query: { tenant: 'Only of this tenant.' },
    answers: { 200: { means: 'Every key.', schema: keysAnswer } },
    run: listKeys,
  },
  {
    method: 'POST',
    path: 'tenants/{tenant}/keys',
    operation: 'issueKey',
    summary: 'A new API key, shown this once; it opens from the answer on, also after a restart.',
    needs: 'keys',
    body: issueKeyBody,
    answers: {
      200: { means: 'What would be issued.', schema: issueAnswers },
      201: { means: 'The key.', schema: issueAnswers },
      409: { means: 'As many keys are kept as config allows.', schema: null },
      422: { means: 'It names a model that there is not, or a time that is over.', schema: null },
    },
    run: issueKey,
  },
  {
    method: 'POST',
    path: 'keys/{id}/revoke',
    operation: 'revokeKey',
    summary: 'The key opens nothing from the answer on, also after a restart.',
    needs: 'keys',
    body: changeBody,
    answers: { 200: { means: 'Revoked, or whether it is.', schema: revokeAnswers } },
    run: revokeKey,
  },
];

function listKeys(plane: ControlPlane, call: AdminCall): AdminAnswer {
  const tenant = call.query.get('tenant') ?? '';
  return json(200, { keys: plane.access.keys().filter((key) => tenant === '' || key.tenant === tenant) });
}

async function issueKey(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  const tenant = call.params['tenant']!;
  const result = await plane.access.issue({ ...(call.body as IssueKeyBody), tenant, actor: call.actor });
  switch (result.is) {
    case 'applied':
      return jsonOnce(201, { ...result.view, key: result.key, workers: result.workers }, { key: null });
    case 'preview':
      return json(200, { dryRun: true, ...result.view });
    case 'unknown':
      return problem(404, 'Not Found', `There is no tenant "${tenant}"; there are ${result.tenants.join(', ')}.`);
    case 'invalid':
      return problem(422, 'Unprocessable Content', result.problems.join('; '));
    case 'full':
      return problem(
        409,
        'Conflict',
        `${result.max} issued keys open something, the limit: revoke some, move some to the config, or raise listen.admin.maxIssuedKeys.`,
      );
    case 'unkept':
      return problem(503, 'Service Unavailable', `No key was issued, since it could not be kept: ${result.problem}`);
    case 'unaudited':
      return unaudited(result.problem);
    default:
      return result satisfies never;
  }
}

async function revokeKey(plane: ControlPlane, call: AdminCall): Promise<AdminAnswer> {
  const keyId = call.params['id']!;
  const result = await plane.access.revoke({ keyId, actor: call.actor, ...(call.body as ChangeBody) });
  switch (result.is) {
    case 'applied':
      return json(200, { key: keyId, revoked: true, workers: result.workers, unkept: result.unkept });
    case 'preview':
      return json(200, { dryRun: true, key: keyId, revoked: result.revoked });
    case 'unknown':
      return problem(404, 'Not Found', `There is no key with the id "${keyId}"; see GET /admin/v1/keys.`);
    case 'unaudited':
      return unaudited(result.problem);
    default:
      return result satisfies never;
  }
}
