import { auditAnswer } from '../config/admin-answers.ts';
import type { ControlPlane } from '../core/control-plane.ts';
import { type AdminAnswer, json, problem } from './admin-answer.ts';
import type { AdminCall, AdminRoute } from './admin-route.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;

/** The record of changes. */
export const AUDIT_ROUTES: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: 'audit',
    operation: 'readAudit',
    summary: 'Who changed what, when and why, newest first; and the head of the chain.',
    needs: 'security',
    body: null,
    query: {
      limit: `How many records, 1 to ${MAX_LIMIT}; ${DEFAULT_LIMIT} by default.`,
      before: 'Where an earlier page has ended: its "next".',
    },
    answers: { 200: { means: 'The last records.', schema: auditAnswer } },
    run: readAudit,
  },
];

function readAudit(plane: ControlPlane, { query }: AdminCall): AdminAnswer {
  const limit = wholeOf(query.get('limit'), DEFAULT_LIMIT);
  const before = wholeOf(query.get('before'), null);
  if (limit === undefined || limit < 1 || limit > MAX_LIMIT) {
    return problem(400, 'Bad Request', `limit: found "${query.get('limit')}"; expected 1 to ${MAX_LIMIT}`);
  }
  if (before === undefined) {
    return problem(400, 'Bad Request', `before: found "${query.get('before')}"; expected the "next" of an earlier page`);
  }
  return json(200, { head: plane.audit.head, ...plane.audit.page(limit, before) });
}

/** Undefined for what is no whole number. */
function wholeOf<Fallback>(text: string | null, fallback: Fallback): number | Fallback | undefined {
  if (text === null) return fallback;
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
