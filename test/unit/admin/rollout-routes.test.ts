import { describe, expect, it } from 'vitest';
import type { AdminAnswer } from '../../../src/admin/admin-answer.ts';
import type { AdminCall, AdminRoute } from '../../../src/admin/admin-route.ts';
import { ROLLOUT_ROUTES } from '../../../src/admin/rollout-routes.ts';
import { parseBody } from '../../../src/config/admin-bodies.ts';
import type { ControlPlane } from '../../../src/core/control-plane.ts';
import type { RolloutControl, RolloutResult, RolloutView } from '../../../src/core/rollout.ts';
import { NO_ROLLOUTS } from '../../support/no-rollouts.ts';

const VIEW = { id: 'r1', spec: { model: 'm' }, state: 'running' } as unknown as RolloutView;
const WORKERS = { acknowledged: 2, total: 2 };
const APPLIED: RolloutResult = { is: 'applied', rollout: VIEW, workers: WORKERS };

const routeOf = (operation: string): AdminRoute => ROLLOUT_ROUTES.find((route) => route.operation === operation)!;

async function run(operation: string, control: Partial<RolloutControl>, call: Partial<AdminCall> = {}): Promise<AdminAnswer> {
  const route = routeOf(operation);
  const parsed = route.body === null ? { body: null } : parseBody(route.body, call.body ?? {});
  if (typeof parsed === 'string') throw new Error(parsed);
  const plane = { rollouts: { ...NO_ROLLOUTS, ...control } } as unknown as ControlPlane;
  const { params = {}, query = new URLSearchParams(), actor = 'ann' } = call;
  return route.run(plane, { params, query, actor, body: parsed.body });
}

const bodyOf = ({ body }: AdminAnswer): Record<string, unknown> => JSON.parse(body) as Record<string, unknown>;

describe('the routes of rollouts', () => {
  it('list them all, or those of one model', async () => {
    const list = (): readonly RolloutView[] => [VIEW];
    expect(bodyOf(await run('listRollouts', { list }))).toEqual({ rollouts: [VIEW] });
    const query = new URLSearchParams({ model: 'other' });
    expect(bodyOf(await run('listRollouts', { list }, { query }))).toEqual({ rollouts: [] });
  });

  it('read one, and say where to look for others', async () => {
    const params = { id: 'r1' };
    expect((await run('readRollout', { find: () => VIEW }, { params })).status).toBe(200);
    expect(await run('readRollout', {}, { params })).toMatchObject({ status: 404, body: expect.stringContaining('rollouts') });
  });

  it('start one with what is not said left to the config', async () => {
    const started: unknown[] = [];
    const start: RolloutControl['start'] = (asked) => {
      started.push(asked);
      return Promise.resolve(APPLIED);
    };
    const body = { model: 'm', steps: [{ weightBp: 100 }], tolerance: { errors: 0.02 }, reason: 'new' };
    const answer = await run('startRollout', { start }, { body });
    expect([answer.status, bodyOf(answer)]).toEqual([201, { ...VIEW, workers: WORKERS }]);
    expect(started).toEqual([
      {
        model: 'm',
        variant: '',
        steps: [{ weightBp: 100, holdMs: null, minRequests: null, approvals: 0 }],
        tolerance: { errors: 0.02, latency: null, cost: null, maxDisagreement: null },
        alpha: null,
        reason: 'new',
        actor: 'ann',
      },
    ]);
  });

  it.each(['pause', 'resume', 'approve', 'promote', 'abort'] as const)('have it %s by whoever asks', async (word) => {
    const acted: unknown[] = [];
    const act: RolloutControl['pause'] = (action) => {
      acted.push(action);
      return Promise.resolve(APPLIED);
    };
    const call = { params: { id: 'r1' }, body: { reason: 'why' } };
    expect((await run(`${word}Rollout`, { [word]: act }, call)).status).toBe(200);
    expect(acted).toEqual([{ id: 'r1', actor: 'ann', reason: 'why' }]);
    expect((await run(`${word}Rollout`, {}, call)).status).toBe(404);
  });

  it.each([
    [{ is: 'conflict', problem: 'x' }, 409],
    [{ is: 'invalid', problems: ['x'] }, 422],
    [{ is: 'unaudited', problem: 'x' }, 503],
    [{ is: 'unkept', problem: 'x' }, 503],
    [{ is: 'delayed', problem: 'x' }, 503],
    [{ is: 'unknown' }, 404],
  ] as const)('answer %o with %i', async (result, status) => {
    const start: RolloutControl['start'] = () => Promise.resolve(result);
    expect((await run('startRollout', { start }, { body: { model: 'm' } })).status).toBe(status);
  });

  it('need the right to see, or to move traffic', () => {
    for (const { method, needs } of ROLLOUT_ROUTES) expect(needs).toBe(method === 'GET' ? 'view' : 'traffic');
  });
});
