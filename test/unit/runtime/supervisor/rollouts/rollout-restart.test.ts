import { describe, expect, it } from 'vitest';
import { Crash, RolloutWorld, TWO_STEPS } from './world.ts';

/** The next process on the same disk. `keepsPlan`: its plan is as the last one had it, and not as config has it. */
async function nextOf(dead: RolloutWorld, keepsPlan: boolean): Promise<RolloutWorld> {
  const next = new RolloutWorld({ disk: dead.disk });
  next.clock.advance(dead.clock.nowMs());
  if (keepsPlan) next.plan = dead.plan;
  await next.rollouts.open();
  return next;
}

/** What a process did, up to its end after so many writes. */
async function lived(writes: number, story: (world: RolloutWorld) => Promise<unknown>): Promise<RolloutWorld> {
  const world = new RolloutWorld();
  world.lives = writes;
  await story(world).catch((error: unknown) => {
    if (!(error instanceof Crash)) throw error;
  });
  return world;
}

const twoSteps = async (world: RolloutWorld): Promise<void> => {
  await world.start();
  world.verdict = 'good';
  await world.pass(11_000);
};
const harmed = async (world: RolloutWorld): Promise<void> => {
  await world.start();
  world.verdict = 'harm';
  await world.pass(1_000);
};

/** More than either story writes. */
const WRITES = Array.from({ length: 12 }, (_, i) => i);

describe('a rollout in the next process', () => {
  it('goes on at its step with its share and evidence of its own, whatever the plan is by then', async () => {
    for (const keepsPlan of [true, false]) {
      const next = await nextOf(await lived(Number.POSITIVE_INFINITY, twoSteps), keepsPlan);
      expect([next.standing, next.epochs, next.view.judgement]).toEqual(['running 1 at 5000', 1, null]);
      expect(next.view.transitions.at(-1)!.reason).toContain('after a restart');
      next.verdict = 'good';
      await next.pass(9_000);
      expect(next.view.state).toBe('running');
      await next.pass(2_000);
      expect(next.standing).toBe('completed 1 at 5000');
    }
  });

  it.each(WRITES)('has the share that its record on disk asks for, when the last one ended after %i writes', async (writes) => {
    for (const keepsPlan of [true, false]) {
      const next = await nextOf(await lived(writes, twoSteps), keepsPlan);
      const [view] = next.rollouts.list();
      expect(next.canaryBp).toBe(view?.weightBp ?? 0);
      expect(next.errors).toEqual([]);
      if (view === undefined) expect((await next.start()).is).toBe('applied');
      next.verdict = 'good';
      await next.pass(25_000);
      expect(next.standing).toBe('completed 1 at 5000');
    }
  });

  it.each(WRITES)('never leaves a bad canary its share, when the last one ended after %i writes', async (writes) => {
    for (const keepsPlan of [true, false]) {
      const next = await nextOf(await lived(writes, harmed), keepsPlan);
      next.verdict = 'harm';
      await next.pass(1_500);
      expect(next.canaryBp).toBe(0);
      expect(next.rollouts.list().every(({ state }) => state === 'rolled-back')).toBe(true);
    }
  });

  it('stays paused, with its share', async () => {
    const next = await nextOf(
      await lived(Number.POSITIVE_INFINITY, async (world) => {
        await world.start();
        await world.act('pause');
      }),
      false,
    );
    expect([next.standing, next.watched]).toEqual(['paused 0 at 1000', false]);
  });

  it('keeps what was approved', async () => {
    const next = await nextOf(
      await lived(Number.POSITIVE_INFINITY, async (world) => {
        await world.start({ steps: [{ ...TWO_STEPS[0]!, approvals: 2 }] });
        await world.act('approve', 'bob');
      }),
      false,
    );
    expect([next.standing, next.view.approvedBy]).toEqual(['waiting -1 at 0', ['bob']]);
    await next.act('approve', 'cy');
    expect(next.standing).toBe('running 0 at 1000');
  });

  it('is superseded where config has another canary by now', async () => {
    const dead = await lived(Number.POSITIVE_INFINITY, twoSteps);
    const next = new RolloutWorld({ disk: dead.disk });
    next.plan = { ...next.plan!, digests: { v1: 'a', v2: 'other' } };
    await next.rollouts.open();
    await next.pass(1_000);
    expect(next.standing).toBe('superseded 1 at 0');
  });

  it.each([
    ['an operator has taken its share away behind its last look', true],
    ['the config was given another share while nothing ran', false],
  ])('is superseded where %s', async (_what, pending) => {
    const dead = await lived(Number.POSITIVE_INFINITY, twoSteps);
    // A process that ends in the middle of a step leaves it pending.
    if (pending) dead.disk.save({ ...dead.disk.read().records[0]!, pending: true });
    dead.setByHand(0);
    const next = await nextOf(dead, true);
    expect(next.standing).toBe('superseded 1 at 0');
    await next.pass(5_000);
    expect(next.canaryBp).toBe(0);
  });

  it('waits for the audit log before it has its share again', async () => {
    const dead = await lived(Number.POSITIVE_INFINITY, twoSteps);
    const next = new RolloutWorld({ disk: dead.disk });
    next.auditProblem = 'disk full';
    await next.rollouts.open();
    expect([next.canaryBp, next.view.problem]).toEqual([0, 'disk full']);
    next.auditProblem = '';
    await next.pass(500);
    expect(next.standing).toBe('running 1 at 5000');
  });

  it('is not touched by a shutdown, and by no look behind it', async () => {
    const world = new RolloutWorld();
    await world.start();
    const before = [...world.disk.files.values()];
    await world.rollouts.close();
    world.verdict = 'harm';
    await world.pass(5_000);
    expect([[...world.disk.files.values()], world.canaryBp]).toEqual([before, 1_000]);
  });
});
