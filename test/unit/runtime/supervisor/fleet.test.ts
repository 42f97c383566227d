import { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { supervision } from '../../../../src/config/process-schema.ts';
import type { WorkerReport } from '../../../../src/runtime/ipc/messages.ts';
import { LaunchError } from '../../../../src/runtime/supervisor/generation.ts';
import { FleetWorld } from '../../../support/fleet-world.ts';

let world: FleetWorld;
beforeEach(() => {
  world = new FleetWorld();
});
afterEach(() => {
  vi.useRealTimers();
});

const states = (): string[] => world.fleet.all.map(({ state }) => state);

describe('the start of a fleet', () => {
  it('gives nobody traffic before all workers are up', async () => {
    const started = world.fleet.start(world.spec(3), () => world.truth);
    world.workers[0]!.say({ is: 'up' });
    world.workers[1]!.say({ is: 'up' });
    await world.pass(0);
    expect(states()).toEqual(['starting', 'starting', 'starting']);
    world.workers[2]!.say({ is: 'up' });
    await started;
    expect(states()).toEqual(['serving', 'serving', 'serving']);
  });

  it('ends all workers when one cannot begin, and says why', async () => {
    const started = world.fleet.start(world.spec(2), () => world.truth);
    const problems = [{ path: 'models.m', message: 'no such file' }];
    world.workers[1]!.say({ is: 'failed', failure: { is: 'config', file: 'c.yaml', problems } });
    world.workers[1]!.end({ code: 1, signal: '' });
    const error = await started.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(LaunchError);
    expect((error as LaunchError).worker.failure).toMatchObject({ is: 'config', problems });
    expect(world.alive).toEqual([]);
  });

  it('ends a worker that does not come up in time', async () => {
    const started = world.fleet.start(world.spec(1, { startTimeoutMs: 5_000 }), () => world.truth).catch((error: Error) => error);
    await world.pass(5_000);
    expect(await started).toMatchObject({ message: expect.stringContaining('did not serve within 5000 ms') });
  });

  it('is given up quietly when the gateway is stopped meanwhile', async () => {
    const started = world.fleet.start(world.spec(2), () => world.truth);
    await world.fleet.drain({ graceMs: 1, idleMs: 0 });
    await started;
    expect(world.alive).toEqual([]);
  });
});

describe('the figures of a worker', () => {
  it('are those that were gathered last, in whichever order they come', async () => {
    await world.start(1);
    const worker = world.fleet.all[0]!;
    const report = (number: number): WorkerReport => ({ number, metrics: `a ${number}`, usage: [], plans: [] });
    const kept = [3, 2, 4, 1].map((number) => {
      world.workers[0]!.say({ is: 'report', report: report(number) });
      return worker.report.number;
    });
    expect(kept).toEqual([3, 3, 4, 4]);
    worker.keep(report(2));
    expect(worker.report.metrics).toBe('a 4');
  });
});

describe('a worker that ends', () => {
  it('is replaced after waits that double up to the longest, and begin anew after a while of health', async () => {
    await world.start(1, { firstRestartDelayMs: 100, longestRestartDelayMs: 400, healthyAfterMs: 30_000 });
    const waits: number[] = [];
    for (let i = 0; i < 4; i++) {
      const count = world.workers.length;
      world.alive[0]!.end({ code: 1, signal: '' });
      let waited = 0;
      while (world.workers.length === count) {
        await world.pass(50);
        waited += 50;
      }
      waits.push(waited);
      world.alive[0]!.say({ is: 'up' });
    }
    expect(waits).toEqual([100, 200, 400, 400]);
    for (let second = 0; second < 31; second++) {
      await world.pass(1_000);
      world.alive[0]!.say({ is: 'pulse', pulse: { ready: true, residentBytes: 1, cpuUs: 1 } });
    }
    world.alive[0]!.end({ code: 1, signal: '' });
    await world.pass(100);
    expect(world.alive).toHaveLength(1);
  });

  it('leaves the others serving, and is counted by its reason', async () => {
    await world.start(3);
    const [first, second, third] = world.workers;
    first!.end({ code: null, signal: 'SIGKILL' });
    second!.say({ is: 'crashed', problem: 'unhandled rejection: oops' });
    second!.end({ code: 1, signal: '' });
    expect(world.fleet.serving.map(({ pid }) => pid)).toEqual([third!.pid]);
    expect(world.ended.map(({ worker, replaced }) => [worker.reason, worker.problem, replaced])).toEqual([
      ['signal', 'killed by SIGKILL', true],
      ['crash', 'unhandled rejection: oops', true],
    ]);
  });

  it('is replaced by one that begins with what was changed meanwhile, before its first connection', async () => {
    await world.start(1);
    world.workers[0]!.end({ code: 1, signal: '' });
    await world.pass(100);
    world.truth = { plans: [], unloaded: [], revokedKeys: ['k1'], issuedKeys: [], watched: [] };
    const next = world.alive[0]!;
    const socket = new Socket();
    world.usher.show('http', socket);
    next.say({ is: 'up' });
    const told = next.heard.map((message) => (message.is === 'order' ? message.name : message.is));
    expect(told).toEqual(['start', 'truth', 'socket']);
    expect(next.heard[1]).toMatchObject({ takes: { revokedKeys: ['k1'] } });
    expect(next.sockets).toEqual([socket]);
  });

  it('loses no connection that it had not taken', async () => {
    await world.start(2);
    const sockets = Array.from({ length: 6 }, () => new Socket());
    for (const socket of sockets) world.usher.show('http', socket);
    const [first, second] = world.workers;
    expect([first!.sockets.length, second!.sockets.length]).toEqual([3, 3]);
    const kept = first!.sockets[0]!;
    first!.say({ is: 'taken', count: 1 });
    expect(kept.destroyed).toBe(true);
    const untaken = first!.sockets.slice(1);
    first!.end({ code: null, signal: 'SIGKILL' });
    expect(second!.sockets.slice(3)).toEqual(untaken);
    expect(untaken.every(({ destroyed }) => !destroyed)).toBe(true);
  });
});

describe('a change', () => {
  it('is told to all who serve or end, and counts those who took it over', async () => {
    await world.start(3);
    const { gives, reached } = await world.fleet.broadcast('purge', 'm', 2_000);
    expect([gives, reached]).toEqual([[2, 2, 2], { acknowledged: 3, total: 3 }]);
  });

  it('ends a worker that does not take it over in time, and replaces it', async () => {
    await world.start(2);
    const silent = world.workers[1]!;
    silent.obey = () => undefined;
    const done = world.fleet.broadcast('revoke', 'k', 2_000);
    await world.pass(1_999);
    expect(silent.killed).toBe(false);
    await world.pass(1);
    expect(await done).toMatchObject({ reached: { acknowledged: 1, total: 2 }, problems: [] });
    expect(silent.killed).toBe(true);
    expect(world.ended[0]!.worker.reason).toBe('silent');
    await world.pass(100);
    expect(world.alive).toHaveLength(2);
  });

  it('that is only a question ends nobody who is too busy for it', async () => {
    await world.start(2);
    const silent = world.workers[1]!;
    silent.obey = () => undefined;
    world.workers[0]!.obey = (name) => (name === 'backends' ? [] : null);
    const asked = world.fleet.gather('backends', null, 3_000);
    const told = world.fleet.quiesce(supervision.parse({}));
    await world.pass(3_000);
    expect(await asked).toEqual([[]]);
    expect(await told).toEqual([null]);
    expect([silent.killed, world.ended]).toEqual([false, []]);
  });

  it('does not count workers of the former generation that end while they are told', async () => {
    await world.start(2);
    const former = [...world.workers];
    for (const worker of former) worker.obey = () => undefined;
    const rolled = world.fleet.roll(world.spec(2), world.change());
    await world.pass(0);
    for (const worker of world.alive.slice(2)) worker.say({ is: 'up' });
    await world.pass(2_000);
    expect(await rolled).toMatchObject({ is: 'rolled' });
    const done = world.fleet.broadcast('purge', 'm', 2_000);
    for (const worker of former) worker.end({ code: 0, signal: '' });
    expect(await done).toMatchObject({ problems: [], reached: { acknowledged: 2, total: 2 } });
  });

  it('leaves a worker alone that refuses it', async () => {
    await world.start(1);
    world.workers[0]!.obey = () => new Error('no such model');
    const done = await world.fleet.broadcast('purge', 'm', 2_000);
    expect(done).toMatchObject({ problems: ['no such model'], reached: { acknowledged: 0, total: 1 } });
    expect(world.alive).toHaveLength(1);
  });
});

describe('a worker that says nothing', () => {
  it('is ended after the time that config grants, and not while it speaks', async () => {
    await world.start(2, { silenceTimeoutMs: 3_000 });
    const [talking, silent] = world.workers;
    for (let second = 0; second < 6; second++) {
      await world.pass(1_000);
      talking!.say({ is: 'pulse', pulse: { ready: true, residentBytes: 1, cpuUs: 1 } });
    }
    expect([talking!.killed, silent!.killed]).toEqual([false, true]);
  });

  it('is not blamed for a time in which the supervisor itself stood still', async () => {
    await world.start(1, { silenceTimeoutMs: 3_000 });
    // As on a machine that slept: the clock jumps, and one tick of the timer comes for all that were due.
    const { now } = performance;
    const sleptMs = 60_000;
    performance.now = () => now.call(performance) + sleptMs;
    await world.pass(1_000);
    expect(world.workers[0]!.killed).toBe(false);
    performance.now = now;
  });
});

describe('a roll', () => {
  it('has a new generation serve, then drains the old one', async () => {
    await world.start(2);
    const old = [...world.workers];
    let adopted = false;
    const rolled = world.fleet.roll(
      world.spec(3),
      world.change(() => (adopted = true)),
    );
    await world.pass(0);
    expect(adopted).toBe(false);
    for (const worker of world.workers.slice(2)) worker.say({ is: 'up' });
    expect(await rolled).toEqual({ is: 'rolled', generation: 2 });
    expect(adopted).toBe(true);
    expect(world.fleet.serving).toHaveLength(3);
    await world.pass(0);
    expect(old.every((worker) => worker.ended && !worker.killed && worker.orders.includes('drain'))).toBe(true);
    expect(world.ended.every(({ replaced }) => !replaced)).toBe(true);
  });

  it('is all or nothing: when one cannot begin, the old ones go on', async () => {
    await world.start(2);
    const old = [...world.workers];
    const rolled = world.fleet.roll(
      world.spec(2),
      world.change(() => expect.unreachable()),
    );
    world.workers[2]!.say({ is: 'up' });
    world.workers[3]!.say({ is: 'failed', failure: { is: 'error', message: 'no memory' } });
    world.workers[3]!.end({ code: 1, signal: '' });
    expect(await rolled).toEqual({ is: 'failed', problem: 'no memory' });
    expect(world.alive).toEqual(old);
    expect(world.fleet.serving).toHaveLength(2);
  });

  it('waits until what was ready is ready again, and gives up in the end', async () => {
    await world.start(1);
    const rolled = world.fleet.roll(world.spec(1, { startTimeoutMs: 2_000 }), world.change());
    const next = world.workers[1]!;
    const ready = world.report();
    let readiness = 'warming';
    next.obey = (name) => {
      if (name !== 'report') return world.obey(name, null);
      const variants = [{ ...ready.plans[0]!.variants[0]!, readiness }];
      return { ...ready, plans: [{ ...ready.plans[0]!, variants }] };
    };
    next.say({ is: 'up' });
    await world.pass(1_000);
    expect(world.fleet.generation).toBe(1);
    readiness = 'ready';
    await world.pass(200);
    expect(await rolled).toMatchObject({ is: 'rolled' });
    const again = world.fleet.roll(world.spec(1, { startTimeoutMs: 2_000 }), world.change());
    const worse = world.workers[2]!;
    worse.obey = next.obey;
    readiness = 'warming';
    next.obey = world.obey;
    worse.say({ is: 'up' });
    await world.pass(2_200);
    expect(await again).toEqual({ is: 'failed', problem: 'ready before and not in the new workers: m/v1' });
    expect(world.alive).toEqual([next]);
  });

  it('is refused while another is under way', async () => {
    await world.start(1);
    const first = world.fleet.roll(world.spec(1), world.change());
    expect(await world.fleet.roll(world.spec(1), world.change())).toEqual({ is: 'busy' });
    world.workers[1]!.say({ is: 'up' });
    expect(await first).toMatchObject({ is: 'rolled' });
  });

  it('ends with the gateway', async () => {
    await world.start(1);
    const rolled = world.fleet.roll(world.spec(1), world.change());
    const drained = world.fleet.drain({ graceMs: 1_000, idleMs: 0 });
    expect(await rolled).toMatchObject({ is: 'failed' });
    await drained;
    expect(world.alive).toEqual([]);
  });
});

describe('the drain of a fleet', () => {
  it('ends workers that do not end by themselves', async () => {
    await world.start(2);
    world.workers[1]!.obey = () => undefined;
    const drained = world.fleet.drain({ graceMs: 500, idleMs: 0 });
    await world.pass(500 + 10_000);
    await drained;
    expect(world.workers.map(({ killed }) => killed)).toEqual([false, true]);
  });
});

describe('connections that nobody can take', () => {
  it('wait for the next worker, and are dropped after a while or past a bound', async () => {
    const sockets = Array.from({ length: 1_025 }, () => new Socket());
    for (const socket of sockets) world.usher.show('grpc', socket);
    expect([world.usher.waiting, sockets.at(-1)!.destroyed, world.dropped]).toEqual([1_024, true, ['grpc']]);
    await world.pass(10_001);
    world.usher.seat();
    expect([world.usher.waiting, world.dropped.length]).toEqual([0, 1_025]);
  });

  it('pass by a worker that is far behind while another is not', async () => {
    await world.start(2);
    for (let i = 0; i < 128; i++) world.usher.show('http', new Socket());
    const [first, second] = world.workers;
    second!.say({ is: 'taken', count: 64 });
    for (let i = 0; i < 10; i++) world.usher.show('http', new Socket());
    expect([first!.sockets.length, second!.sockets.length]).toEqual([64, 74]);
    for (let i = 0; i < 60; i++) world.usher.show('http', new Socket());
    expect(world.usher.waiting).toBe(6);
    first!.say({ is: 'taken', count: 64 });
    expect(world.usher.waiting).toBe(0);
  });
});
