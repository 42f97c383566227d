import { describe, expect, it } from 'vitest';
import { NO_TOLERANCE, RolloutWorld, settled, TWO_STEPS } from './world.ts';

describe('a rollout', () => {
  it('begins with the share of its first step, on record and on disk before it is in force', async () => {
    const world = new RolloutWorld();
    expect(await world.start()).toMatchObject({ is: 'applied', rollout: { state: 'running', step: 0, weightBp: 1_000 } });
    expect([world.canaryBp, world.actions, world.told]).toEqual([1_000, ['rollout.start', 'plan.weights'], [' > running 0']]);
    expect(world.disk.read().records).toMatchObject([{ state: 'running', step: 0, pending: false, startedBy: 'ann' }]);
  });

  it('holds while its judge is unsure, however long that takes', async () => {
    const world = new RolloutWorld();
    await world.start();
    await world.pass(60_000);
    expect([world.standing, world.told]).toEqual(['running 0 at 1000', [' > running 0']]);
  });

  it('advances when the judge says good, each step with evidence of its own, and completes behind the last', async () => {
    const world = new RolloutWorld();
    await world.start();
    world.verdict = 'good';
    await world.pass(9_000);
    expect(world.standing).toBe('running 0 at 1000');
    await world.pass(1_500);
    expect([world.standing, world.epochs]).toEqual(['running 1 at 5000', 2]);
    await world.pass(10_500);
    expect([world.standing, world.watched]).toEqual(['completed 1 at 5000', false]);
    expect(world.told).toEqual([' > running 0', 'running > running 1', 'running > completed 1']);
  });

  it('judges nothing where the canary has all traffic, and no stable is left to compare with', async () => {
    const world = new RolloutWorld();
    const step = { holdMs: 0, minRequests: 1, approvals: 0 };
    await world.start({
      steps: [
        { ...step, weightBp: 5_000 },
        { ...step, weightBp: 10_000 },
      ],
    });
    world.verdict = 'good';
    await world.pass(2_000);
    expect(world.standing).toBe('completed 1 at 10000');
    expect(world.view.judgement).toBeNull();
  });

  it('waits for its least requests, so that little traffic holds and does not fail', async () => {
    const world = new RolloutWorld();
    await world.start();
    Object.assign(world, { verdict: 'good', requests: 99 });
    await world.pass(60_000);
    expect(world.standing).toBe('running 0 at 1000');
  });

  it('rolls back on harm at the next look, to the share before it, with the judgement on record', async () => {
    const world = new RolloutWorld();
    world.setByHand(300);
    await world.start();
    world.verdict = 'harm';
    await world.pass(500);
    expect([world.standing, world.watched]).toEqual(['rolled-back 0 at 300', false]);
    const record = world.audited.find(({ action }) => action === 'rollout.roll-back')!;
    expect(record).toMatchObject({ actor: 'rollout r1', reason: 'it is harm', after: { judgement: { verdict: 'harm' } } });
    world.verdict = 'good';
    await world.pass(60_000);
    expect(world.standing).toBe('rolled-back 0 at 300');
  });

  it("does in nobody's name what it does by itself, whoever has started it", async () => {
    const world = new RolloutWorld();
    await world.scope.run('ann', () => world.start());
    world.verdict = 'harm';
    // Timers of a real gateway remember who has set them.
    await world.scope.run('ann', () => world.pass(500));
    expect(world.asked).toEqual(['rollout.start ann', 'plan.weights ann', 'rollout.roll-back nobody', 'plan.weights nobody']);
  });

  it('rolls back when no worker has had the canary ready for a while, and forgives a moment', async () => {
    const world = new RolloutWorld();
    await world.start();
    world.down = 'all endpoints are out';
    await world.pass(2_500);
    world.down = '';
    await world.pass(1_000);
    expect(world.standing).toBe('running 0 at 1000');
    world.down = 'all endpoints are out';
    await world.pass(3_500);
    expect(world.standing).toBe('rolled-back 0 at 0');
    expect(world.view.transitions.at(-1)!.reason).toContain('all endpoints are out');
  });

  it('rolls back when workers die under it, and forgives one', async () => {
    const world = new RolloutWorld();
    await world.start();
    world.rollouts.workerEnded();
    world.rollouts.workerEnded();
    await world.pass(1_000);
    expect(world.standing).toBe('running 0 at 1000');
    world.rollouts.workerEnded();
    await world.pass(500);
    expect(world.standing).toBe('rolled-back 0 at 0');
  });

  it('ends where other hands change the plan, and leaves it as they have it', async () => {
    const world = new RolloutWorld();
    await world.start();
    world.setByHand(7_000);
    world.verdict = 'harm';
    await world.pass(500);
    expect(world.standing).toBe('superseded 0 at 7000');
    expect(world.view.transitions.at(-1)!.reason).toContain('v1 30 %, v2 70 %');
  });

  it('ends where config puts another model behind its canary, or has none any more', async () => {
    const other = new RolloutWorld();
    await other.start();
    other.plan = { ...other.plan!, digests: { v1: 'a', v2: 'c' } };
    await other.pass(500);
    expect(other.view.state).toBe('superseded');
    const gone = new RolloutWorld();
    await gone.start();
    gone.plan = null;
    await gone.pass(500);
    expect([gone.view.state, gone.errors]).toEqual(['superseded', []]);
  });
});

describe('people and a rollout', () => {
  it('pauses under their hands with its weights as they are, and begins its step anew afterwards', async () => {
    const world = new RolloutWorld();
    await world.start();
    expect(await world.act('pause')).toMatchObject({ is: 'applied', rollout: { state: 'paused' } });
    world.verdict = 'harm';
    await world.pass(5_000);
    expect([world.standing, world.watched]).toEqual(['paused 0 at 1000', false]);
    world.verdict = 'unsure';
    await world.act('resume');
    expect([world.standing, world.epochs, world.watched]).toEqual(['running 0 at 1000', 2, true]);
  });

  it('is promoted past an unsure judge, up to its end', async () => {
    const world = new RolloutWorld();
    await world.start();
    await world.act('promote');
    expect(world.standing).toBe('running 1 at 5000');
    await world.act('promote');
    expect(world.standing).toBe('completed 1 at 5000');
    expect(await world.act('promote')).toMatchObject({ is: 'conflict' });
  });

  it('is aborted from any state in which it is under way', async () => {
    for (const word of ['', 'pause'] as const) {
      const world = new RolloutWorld();
      await world.start();
      if (word !== '') await world.act(word);
      expect(await world.act('abort')).toMatchObject({ is: 'applied' });
      expect(world.standing).toBe('aborted 0 at 0');
      expect(await world.act('abort')).toMatchObject({ is: 'conflict' });
    }
  });

  it('waits at a gate until so many of them have approved, none of them twice', async () => {
    const world = new RolloutWorld();
    await world.start({ steps: [TWO_STEPS[0]!, { ...TWO_STEPS[1]!, approvals: 2 }] });
    world.verdict = 'good';
    await world.pass(11_000);
    expect(world.standing).toBe('waiting 0 at 1000');
    expect(await world.act('promote')).toMatchObject({ is: 'conflict' });
    await world.act('approve', 'ann');
    expect(await world.act('approve', 'ann')).toMatchObject({ is: 'conflict', problem: expect.stringContaining('already') });
    expect(world.standing).toBe('waiting 0 at 1000');
    await world.act('approve', 'bob');
    expect(world.standing).toBe('running 1 at 5000');
    expect(world.view.approvedBy).toEqual([]);
  });

  it('rolls back on harm while it waits for them, and goes on only while its judge still says good', async () => {
    const gated = [TWO_STEPS[0]!, { ...TWO_STEPS[1]!, approvals: 1 }];
    const harmed = new RolloutWorld();
    await harmed.start({ steps: gated });
    harmed.verdict = 'good';
    await harmed.pass(11_000);
    harmed.verdict = 'harm';
    await harmed.pass(500);
    expect(harmed.standing).toBe('rolled-back 0 at 0');
    const unsure = new RolloutWorld();
    await unsure.start({ steps: gated });
    unsure.verdict = 'good';
    await unsure.pass(11_000);
    unsure.verdict = 'unsure';
    await unsure.act('approve', 'bob');
    expect(unsure.standing).toBe('waiting 0 at 1000');
    unsure.verdict = 'good';
    await unsure.pass(500);
    expect(unsure.standing).toBe('running 1 at 5000');
  });

  it('gives no traffic before the first step is approved', async () => {
    const world = new RolloutWorld();
    await world.start({ steps: [{ ...TWO_STEPS[0]!, approvals: 1 }] });
    await world.pass(60_000);
    expect(world.standing).toBe('waiting -1 at 0');
    await world.act('approve', 'bob');
    expect(world.standing).toBe('running 0 at 1000');
  });

  it('needs two others before a model of high risk gets all traffic, and one for medium', async () => {
    for (const [riskTier, needs] of [
      ['low', 0],
      ['medium', 1],
      ['high', 2],
    ] as const) {
      const world = new RolloutWorld({ riskTier });
      await world.start({ steps: [TWO_STEPS[0]!, { ...TWO_STEPS[1]!, weightBp: 10_000 }] });
      expect(world.view.spec.steps[1]!.approvals).toBe(needs);
      if (riskTier === 'low') continue;
      expect(await world.act('approve', 'ann')).toMatchObject({ is: 'conflict', problem: expect.stringContaining('started it') });
      world.verdict = 'good';
      await world.pass(11_000);
      for (const actor of ['bob', 'cy'].slice(0, needs)) {
        expect(world.canaryBp).toBe(1_000);
        await world.act('approve', actor);
      }
      expect(world.canaryBp).toBe(10_000);
    }
  });
});

describe('the start of a rollout', () => {
  it('takes its steps from the config where none are named', async () => {
    const world = new RolloutWorld();
    await world.start({ steps: null });
    expect(world.view.spec.steps.map(({ weightBp }) => weightBp)).toEqual([100, 500, 2_500, 5_000, 10_000]);
    expect(world.view.spec).toMatchObject({ alpha: 0.01, tolerance: { errors: 0.01 } });
  });

  it('is refused while another of the model is under way, also at the same moment', async () => {
    const world = new RolloutWorld();
    const [first, second] = await Promise.all([world.start(), world.start()]);
    expect([first.is, second.is]).toEqual(['applied', 'conflict']);
    expect(await world.start()).toMatchObject({ is: 'conflict', problem: expect.stringContaining('r1') });
    await world.act('abort');
    expect(await world.start()).toMatchObject({ is: 'applied' });
  });

  it.each([
    ['a model that is not there', { model: 'x' }, 'unknown'],
    ['a canary that is not there', { variant: 'v9' }, 'invalid'],
    ['the stable variant', { variant: 'v1' }, 'invalid'],
    ['steps that do not grow', { steps: [TWO_STEPS[1]!, TWO_STEPS[0]!] }, 'invalid'],
  ])('is refused for %s', async (_what, more, is) => {
    expect((await new RolloutWorld().start(more)).is).toBe(is);
  });

  it('is refused for a canary that is not ready, or has the share of the first step already', async () => {
    const cold = new RolloutWorld();
    cold.readiness['v2'] = 'warming';
    expect(await cold.start()).toMatchObject({ is: 'invalid', problems: [expect.stringContaining('warming')] });
    const grown = new RolloutWorld();
    grown.setByHand(1_000);
    expect(await grown.start()).toMatchObject({ is: 'invalid', problems: [expect.stringContaining('already')] });
  });

  it('is refused where its steps leave stable nothing beside another canary, with which it would be compared', async () => {
    const world = new RolloutWorld();
    world.plan = { ...world.plan!, weightsBp: { v1: 5_000, v2: 0, v3: 5_000 } };
    const refused = await world.start({ variant: 'v2' });
    expect(refused).toMatchObject({ is: 'invalid', problems: [expect.stringContaining('less than 50 %')] });
    expect(await world.start({ variant: 'v2', steps: [TWO_STEPS[0]!] })).toMatchObject({ is: 'applied' });
  });

  it('is refused where answers have to agree and none would ever be compared', async () => {
    const world = new RolloutWorld();
    const comparison = { ...world.config.comparison, watchedMirrorPercent: 0, watchedMirrorsPerSecond: 0 } as const;
    Object.assign(world, { config: { ...world.config, comparison } });
    expect(await world.start()).toMatchObject({ is: 'invalid', problems: [expect.stringContaining('maxDisagreement')] });
    expect(await world.start({ tolerance: { ...NO_TOLERANCE, maxDisagreement: 1 } })).toMatchObject({ is: 'applied' });
  });

  it('is refused without an audit record, and leaves nothing behind', async () => {
    const world = new RolloutWorld();
    world.auditProblem = 'disk full';
    expect(await world.start()).toEqual({ is: 'unaudited', problem: 'disk full' });
    expect([world.canaryBp, world.disk.files.size, world.rollouts.list(), world.told]).toEqual([0, 0, [], []]);
  });

  it('is refused when its state cannot be kept, or was not read, and works again when that is repaired', async () => {
    const world = new RolloutWorld();
    world.disk.full = 'r1.json: ENOSPC';
    expect(await world.start()).toEqual({ is: 'unkept', problem: 'r1.json: ENOSPC' });
    expect(world.canaryBp).toBe(0);
    world.disk.full = '';
    world.disk.problem = 'r0.json holds no rollout';
    expect(await world.rollouts.open()).toBe('r0.json holds no rollout');
    expect((await world.start()).is).toBe('unkept');
    world.disk.problem = '';
    expect((await world.start()).is).toBe('applied');
  });
});

describe('a rollout whose records cannot be written', () => {
  it('does not advance without the audit log, says so once, and goes on when it is back', async () => {
    const world = new RolloutWorld();
    await world.start();
    world.verdict = 'good';
    world.auditProblem = 'disk full';
    await world.pass(20_000);
    expect([world.standing, world.view.problem]).toEqual(['running 0 at 1000', 'disk full']);
    expect(world.stuck).toEqual(['disk full']);
    world.auditProblem = '';
    await world.pass(500);
    expect([world.standing, world.view.problem]).toEqual(['running 1 at 5000', '']);
  });

  it('does not advance on a full disk, and rolls back all the same', async () => {
    const world = new RolloutWorld();
    await world.start();
    world.verdict = 'good';
    world.disk.full = 'ENOSPC';
    await world.pass(20_000);
    expect([world.standing, world.told]).toEqual(['running 0 at 1000', [' > running 0']]);
    world.verdict = 'harm';
    await world.pass(500);
    expect([world.standing, world.view.problem]).toEqual(['rolled-back 0 at 0', expect.stringContaining('ENOSPC')]);
    world.disk.full = '';
    await world.pass(500);
    expect([world.view.problem, world.disk.read().records[0]]).toEqual(['', expect.objectContaining({ state: 'rolled-back' })]);
  });

  it('takes the share away as soon as the audit log takes the record', async () => {
    const world = new RolloutWorld();
    await world.start();
    world.verdict = 'harm';
    world.auditProblem = 'disk full';
    await world.pass(1_000);
    expect(world.canaryBp).toBe(1_000);
    world.auditProblem = '';
    await world.pass(500);
    expect(world.standing).toBe('rolled-back 0 at 0');
  });
});

describe('rollouts that are over', () => {
  it('are forgotten from the oldest on, on disk as well', async () => {
    const world = new RolloutWorld({ maxKept: 2 });
    for (let i = 0; i < 4; i++) {
      world.clock.advance(1_000);
      await world.start();
      await world.act('abort');
    }
    await settled();
    expect(world.rollouts.list().map(({ id }) => id)).toEqual(['r4', 'r3']);
    expect([...world.disk.files.keys()]).toEqual(['r3', 'r4']);
  });
});
