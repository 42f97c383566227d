import { beforeEach, describe, expect, it } from 'vitest';
import type { AdminAnswer } from '../../../src/admin/admin-answer.ts';
import { PLAN_ROUTES } from '../../../src/admin/plan-routes.ts';
import { parseBody } from '../../../src/config/admin-bodies.ts';
import type { ControlPlane, PlanView } from '../../../src/core/control-plane.ts';
import type { PlanResult } from '../../../src/core/plan-control.ts';
import { EFFECT, ScriptedTraffic } from './scripted-traffic.ts';

const PLAN: PlanView = { model: 'digits', revision: 4, variants: [], pins: [], fallbacks: ['v1'] };
const WORKERS = { acknowledged: 2, total: 2 };
const ORDER = { model: 'digits', actor: 'ann', reason: 'r' };

let traffic: ScriptedTraffic;
beforeEach(() => {
  traffic = new ScriptedTraffic();
});

/** What a route answers, or what is wrong with the body. */
async function ask(
  operation: string,
  body: object,
  params: Record<string, string> = {},
  query = '',
): Promise<AdminAnswer | string> {
  const route = PLAN_ROUTES.find((candidate) => candidate.operation === operation)!;
  const parsed = route.body === null ? { body: null } : parseBody(route.body, body);
  if (typeof parsed === 'string') return parsed;
  const plane = { traffic, plans: () => Promise.resolve([PLAN]) } as unknown as ControlPlane;
  const call = { params: { model: 'digits', ...params }, query: new URLSearchParams(query), body: parsed.body, actor: 'ann' };
  return route.run(plane, call);
}

async function answer(...asked: Parameters<typeof ask>): Promise<{ status: number; body: Record<string, unknown> }> {
  const { status, body } = (await ask(...asked)) as AdminAnswer;
  return { status, body: JSON.parse(body) as Record<string, unknown> };
}

describe('changes of a plan', () => {
  it('take weights, pins and fallbacks, and leave what is not named', async () => {
    traffic.result = { is: 'applied', plan: PLAN, effect: EFFECT, workers: WORKERS, unkept: '' };
    const pins = [
      { tenant: 'acme', variant: 'v2' },
      { header: 'x-cohort', value: 'beta', variant: 'v2' },
    ];
    const { status, body } = await answer('changePlan', { expectedRevision: 3, pins, fallbacks: [], reason: 'r' });
    expect([status, body]).toEqual([200, { ...PLAN, movedBp: 0, moves: [], workers: WORKERS, unkept: '' }]);
    const rest = { expectedRevision: 3, dryRun: false, cause: 'admin' };
    expect(traffic.orders).toEqual([['change', { ...ORDER, ...rest, weights: null, pins, fallbacks: [] }]]);
    await ask('changeWeights', { expectedRevision: 3, weightsBp: { v2: 5 }, reason: 'r' });
    expect(traffic.orders[1]).toEqual([
      'change',
      { ...ORDER, ...rest, weights: new Map([['v2', 5]]), pins: null, fallbacks: null },
    ]);
  });

  it('switch and go back without a revision that was seen, or with one', async () => {
    await ask('switchPlan', { variant: 'v2', reason: 'r' });
    await ask('rollBackPlan', { reason: 'r' });
    await ask('rollBackPlan', { toRevision: 2, expectedRevision: 3, dryRun: true, reason: 'r' });
    expect(traffic.orders).toEqual([
      ['switch', { ...ORDER, expectedRevision: null, dryRun: false, variant: 'v2' }],
      ['rollback', { ...ORDER, expectedRevision: null, dryRun: false, toRevision: null }],
      ['rollback', { ...ORDER, expectedRevision: 3, dryRun: true, toRevision: 2 }],
    ]);
  });

  it('answer a dry run with what would become of it', async () => {
    traffic.result = { is: 'planned', effect: EFFECT };
    expect((await answer('switchPlan', { variant: 'v2', dryRun: true })).body).toEqual({
      dryRun: true,
      model: 'digits',
      ...EFFECT,
    });
  });

  it.each([
    [{ is: 'unknown' }, 404, 'there are digits'],
    [{ is: 'conflict', revision: 4 }, 409, 'at revision 4, not 3'],
    [{ is: 'invalid', problems: ['no', 'never'] }, 422, 'no; never'],
    [{ is: 'absent', problem: 'There is no revision 9.' }, 404, 'no revision 9'],
    [{ is: 'unread', problem: 'm.jsonl: EACCES' }, 503, 'history of plans could not be read: m.jsonl: EACCES'],
    [{ is: 'unaudited', problem: 'disk full' }, 503, 'audit record could not be written: disk full'],
    [{ is: 'unkept', problem: 'disk full' }, 503, 'history of plans could not be written: disk full'],
  ] satisfies [PlanResult, number, string][])('answer one that is %o with %i', async (result, status, word) => {
    traffic.result = result;
    for (const [operation, body] of [
      ['changeWeights', { weightsBp: { v2: 5 } }],
      ['changePlan', { fallbacks: ['v1'] }],
      ['switchPlan', { variant: 'v2' }],
      ['rollBackPlan', {}],
    ] as const) {
      const answered = await answer(operation, { expectedRevision: 3, ...body });
      expect([answered.status, answered.body['detail']]).toEqual([status, expect.stringContaining(word)]);
    }
  });

  it('tell one that lost against another, and has seen no revision, which one is in force', async () => {
    traffic.result = { is: 'conflict', revision: 4 };
    const { status, body } = await answer('rollBackPlan', {});
    expect([status, body['detail']]).toEqual([
      409,
      'The plan is at revision 4, since somebody else has just changed it; read it again and decide anew.',
    ]);
  });

  it.each([
    ['changePlan', { expectedRevision: 3 }, 'expected one of weightsBp, pins and fallbacks'],
    ['changePlan', { weightsBp: { v2: 5 } }, 'expectedRevision'],
    ['changePlan', { expectedRevision: 3, pins: [{ tenant: 'acme' }] }, 'pins.0'],
    ['changePlan', { expectedRevision: 3, pins: [{ header: 'X-Cohort', value: 'b', variant: 'v2' }] }, 'pins.0'],
    ['changePlan', { expectedRevision: 3, pins: new Array(257).fill({ tenant: 'acme', variant: 'v2' }) }, '256'],
    ['switchPlan', {}, 'variant'],
    ['rollBackPlan', { toRevision: 0 }, 'toRevision'],
  ])('refuse the body of %s: %o', async (operation, body, word) => {
    expect(await ask(operation, body)).toContain(word);
    expect(traffic.orders).toEqual([]);
  });
});

describe('the history of a plan', () => {
  it('is as long as was asked for, within reason', async () => {
    traffic.past = { model: 'digits', revision: 4, revisions: [], problem: '' };
    expect((await answer('listRevisions', {})).body).toEqual(traffic.past);
    await ask('listRevisions', {}, {}, 'limit=7');
    expect(traffic.limits).toEqual([50, 7]);
    for (const limit of ['0', '-1', '1.5', 'all', '1e3', '99999999'])
      expect((await answer('listRevisions', {}, {}, `limit=${limit}`)).status).toBe(400);
    traffic.past = null;
    expect((await answer('listRevisions', {})).status).toBe(404);
  });

  it('shows one revision, or says why not', async () => {
    const revision = {
      ...EFFECT.before,
      at: '2026-01-01T00:00:00.000Z',
      cause: 'admin',
      actor: 'ann',
      reason: '',
      restores: 0,
    } as const;
    traffic.found = { is: 'found', revision, slots: 'v1:9500 v2:500' };
    const found = await answer('readRevision', {}, { revision: '3' });
    expect(found.body).toEqual({ model: 'digits', ...revision, slots: 'v1:9500 v2:500' });
    traffic.found = { is: 'absent', problem: 'There is no revision 9.' };
    expect(await answer('readRevision', {}, { revision: '9' })).toMatchObject({
      status: 404,
      body: { detail: 'There is no revision 9.' },
    });
    expect((await answer('readRevision', {}, { revision: 'x' })).status).toBe(404);
  });
});
