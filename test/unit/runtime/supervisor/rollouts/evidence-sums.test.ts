import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ArmEvidence, noEvidence, type Watched } from '../../../../../src/core/evidence.ts';
import type { EvidenceAnswer, EvidenceAsk } from '../../../../../src/runtime/ipc/messages.ts';
import { EvidenceSums } from '../../../../../src/runtime/supervisor/rollouts/evidence-sums.ts';
import { sumOf } from '../../../../../src/runtime/supervisor/rollouts/sum-of.ts';
import { FleetWorld } from '../../../../support/fleet-world.ts';

let world: FleetWorld;
let sums: EvidenceSums;
/** What each worker was told to watch last, and what it says, by its number in the order of their start. */
let watched: Watched[][];
let says: (EvidenceAnswer | null | undefined)[];

beforeEach(async () => {
  world = new FleetWorld();
  [watched, says] = [[], []];
  sums = new EvidenceSums({ fleet: world.fleet, acknowledgeTimeoutMs: () => 1_000 });
  await world.start(2, { firstRestartDelayMs: 100 });
  for (const worker of world.workers) {
    const others = worker.obey;
    worker.obey = (name, takes) => {
      const number = world.workers.indexOf(worker);
      if (name === 'watch') watched[number] = takes as Watched[];
      if (name === 'watch') return null;
      return name === 'evidence' ? says[number] : others(name, takes);
    };
  }
});
afterEach(() => {
  vi.useRealTimers();
});

function arm(requests: number): ArmEvidence {
  const evidence = noEvidence();
  evidence.requests[3] = requests;
  return evidence;
}

const answer = (stable: number, canary: number, readiness = 'ready', reason = ''): EvidenceAnswer => ({
  arms: [arm(stable), arm(canary)],
  readiness,
  reason,
});

async function look(): Promise<{ stable: number; canary: number; down: string }> {
  const seen = sums.look('m');
  await world.pass(1_000);
  const { stable, canary, down } = await seen;
  return { stable: sumOf(stable.requests), canary: sumOf(canary.requests), down };
}

describe('the evidence of all workers', () => {
  it('is watched by each under one epoch, and under another when it begins anew', async () => {
    await sums.begin('m', 'v1', 'v2');
    expect(watched).toEqual(new Array(2).fill([{ model: 'm', epoch: 1, variants: ['v1', 'v2'] }]));
    await sums.begin('m', 'v1', 'v2');
    expect(sums.watched).toMatchObject([{ epoch: 2 }]);
    await sums.end('m');
    expect([watched, sums.watched]).toEqual([[[], []], []]);
  });

  it('is the sum of what each says, and what was said counts once however often it is said', async () => {
    await sums.begin('m', 'v1', 'v2');
    says = [answer(5, 1), answer(7, 2)];
    expect(await look()).toEqual({ stable: 12, canary: 3, down: '' });
    expect(await look()).toEqual({ stable: 12, canary: 3, down: '' });
    says = [answer(6, 1), answer(7, 4)];
    expect(await look()).toEqual({ stable: 13, canary: 5, down: '' });
  });

  it('keeps what a worker said that is gone, and lives on without one that is silent', async () => {
    await sums.begin('m', 'v1', 'v2');
    says = [answer(5, 1), answer(7, 2)];
    await look();
    world.workers[0]!.end({ code: 1, signal: '' });
    says = [undefined, undefined];
    expect(await look()).toEqual({ stable: 12, canary: 3, down: '' });
    expect(world.workers[1]!.killed).toBe(false);
    says = [null, answer(8, 2)];
    expect(await look()).toEqual({ stable: 13, canary: 3, down: '' });
  });

  it('says that the canary is down when one has lost it or none has it ready, and not when none says anything', async () => {
    await sums.begin('m', 'v1', 'v2');
    says = [answer(0, 0, 'warming', 'refused'), answer(0, 0)];
    expect((await look()).down).toBe('');
    says = [answer(0, 0, 'warming', 'refused'), answer(0, 0, 'warming', 'timeout')];
    expect((await look()).down).toMatch(/refused|timeout/);
    says = [answer(0, 0), answer(0, 0, 'lost', 'all endpoints are out')];
    expect((await look()).down).toBe('all endpoints are out');
    says = [undefined, undefined];
    expect((await look()).down).toBe('');
  });

  it('asks for the epoch that it watches', async () => {
    const asks: EvidenceAsk[] = [];
    world.workers[0]!.obey = (name, takes) => {
      if (name === 'evidence') asks.push(takes as EvidenceAsk);
      return null;
    };
    await sums.begin('m', 'v1', 'v2');
    await look();
    expect(asks).toEqual([{ model: 'm', epoch: 1, variant: 'v2' }]);
    expect(await sums.look('other')).toMatchObject({ down: '' });
  });
});
