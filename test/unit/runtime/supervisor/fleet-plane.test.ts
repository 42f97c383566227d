import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FleetPlane, type FleetPlaneOptions } from '../../../../src/runtime/supervisor/fleet-plane.ts';
import { FleetWorld } from '../../../support/fleet-world.ts';

let world: FleetWorld;
let plane: FleetPlane;
beforeEach(() => {
  world = new FleetWorld();
  const { fleet } = world;
  plane = new FleetPlane({ fleet, acknowledgeTimeoutMs: () => 2_000 } as unknown as FleetPlaneOptions);
});
afterEach(() => {
  vi.useRealTimers();
});

it('asks about requests and cached answers without ending who is too busy to say', async () => {
  await world.start(2);
  const [talking, silent] = world.workers;
  const story = { at: '2026-01-01T00:00:00.000Z' };
  talking!.obey = (name) => (name === 'explain' ? [story] : name === 'cached' ? 3 : null);
  silent!.obey = () => undefined;
  const told = plane.explain('r-1');
  const preview = plane.purgeCache({ model: '', actor: 'ann', reason: '', dryRun: true });
  await world.pass(3_000);
  expect(await told).toEqual([story]);
  expect(await preview).toEqual({ is: 'preview', entries: 3 });
  expect([silent!.killed, world.ended]).toEqual([false, []]);
});
