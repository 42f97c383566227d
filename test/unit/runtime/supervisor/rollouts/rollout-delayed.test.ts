import { expect, it } from 'vitest';
import { RolloutWorld } from './world.ts';

it('says of a rollout whose end is on record, while its share cannot be taken away, that this is tried again', async () => {
  const world = new RolloutWorld();
  await world.start();
  let full = true;
  // There was room for one more record.
  Object.defineProperty(world, 'auditProblem', {
    get: () => (full && world.actions.at(-1) === 'rollout.abort' ? 'disk full' : ''),
  });
  expect(await world.act('abort')).toEqual({ is: 'delayed', problem: 'disk full' });
  expect(world.standing).toBe('aborted 0 at 1000');
  full = false;
  await world.pass(500);
  expect(world.standing).toBe('aborted 0 at 0');
});
