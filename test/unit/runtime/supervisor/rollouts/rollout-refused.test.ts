import { describe, expect, it } from 'vitest';
import { RolloutWorld } from './world.ts';

describe('a rollout whose share cannot be set', () => {
  it('stays at its step, is judged there, and tells nobody of another', async () => {
    const world = new RolloutWorld();
    await world.start();
    Object.assign(world, { verdict: 'good', historyProblem: 'plans/m.jsonl: ENOSPC' });
    await world.pass(11_000);
    expect([world.standing, world.told]).toEqual(['running 0 at 1000', [' > running 0']]);
    expect(world.view.problem).toContain('plans/m.jsonl: ENOSPC');
    expect(world.actions.at(-1)).toBe('rollout.not-applied');
    expect(world.disk.read().records[0]).toMatchObject({ step: 0, pending: false });
    world.verdict = 'harm';
    await world.pass(500);
    expect(world.standing).toBe('rolled-back 0 at 0');
  });

  it('is not told as running where that was its start, and names the file that could not be written', async () => {
    const world = new RolloutWorld();
    world.historyProblem = 'plans/m.jsonl: ENOSPC';
    expect(await world.start()).toEqual({ is: 'unkept', problem: 'plans/m.jsonl: ENOSPC' });
    expect([world.told, world.disk.files.size, world.rollouts.list()]).toEqual([[], 0, []]);
  });

  it('tries again after growing waits, so that the audit record is not filled, and goes on when it can', async () => {
    const world = new RolloutWorld();
    await world.start();
    Object.assign(world, { verdict: 'good', historyProblem: 'ENOSPC' });
    await world.pass(70_000);
    const tries = world.actions.filter((action) => action === 'rollout.advance').length;
    expect(tries).toBeGreaterThan(5);
    expect(tries).toBeLessThan(9);
    world.historyProblem = '';
    await world.pass(60_000);
    expect([world.standing, world.view.problem]).toEqual(['completed 1 at 5000', '']);
  });

  it('ends at the next look where other hands change the plan while it waits', async () => {
    const world = new RolloutWorld();
    await world.start();
    Object.assign(world, { verdict: 'good', historyProblem: 'ENOSPC' });
    await world.pass(60_000);
    world.setByHand(300);
    await world.pass(500);
    expect(world.standing).toBe('superseded 0 at 300');
  });
});

describe('the problem of a rollout', () => {
  it('is none where a person was refused', async () => {
    const world = new RolloutWorld();
    await world.start();
    world.disk.full = 'ENOSPC';
    expect((await world.act('promote')).is).toBe('unkept');
    world.auditProblem = 'disk full';
    expect((await world.act('pause')).is).toBe('unaudited');
    expect([world.view.problem, world.stuck]).toEqual(['', []]);
  });

  it('is gone when what could not be done is not wanted any more', async () => {
    const world = new RolloutWorld();
    await world.start();
    Object.assign(world, { verdict: 'good', auditProblem: 'disk full' });
    await world.pass(11_000);
    expect(world.view.problem).toBe('disk full');
    world.verdict = 'unsure';
    await world.pass(500);
    expect(world.view.problem).toBe('');
  });
});
