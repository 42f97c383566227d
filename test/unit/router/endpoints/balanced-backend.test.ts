import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CallOptions } from '../../../../src/core/backend.ts';
import type { EndpointEvent } from '../../../../src/core/endpoints.ts';
import { Fault } from '../../../../src/core/faults.ts';
import { BalancedBackend } from '../../../../src/router/endpoints/balanced-backend.ts';
import type { EndpointSettings } from '../../../../src/router/endpoints/endpoint-settings.ts';
import { RecordingSink } from '../../../support/recording-sink.ts';
import { TIMERS_CLOCK } from '../../../support/timers-clock.ts';
import { HandBackend, type HandCall, OPTIONS, REQUEST, SETTINGS, SIGNATURE, seeded } from './endpoint-fakes.ts';

const OTHER = { ...SIGNATURE, outputs: [{ name: 'z', datatype: 'FP32' as const, shape: [-1] }] };

let servers: Map<string, HandBackend>;
let made: HandBackend[];
let events: EndpointEvent[];
let addresses: readonly string[];
let lie: string;
let backend: BalancedBackend;

beforeEach(() => {
  vi.useFakeTimers();
  servers = new Map();
  made = [];
  events = [];
  addresses = [];
  lie = '';
});

afterEach(async () => {
  const closing = backend.close();
  await vi.advanceTimersByTimeAsync(100);
  await closing;
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

function build(names: readonly string[], settings: Partial<EndpointSettings> = {}): BalancedBackend {
  backend = new BalancedBackend({
    kind: 'grpc',
    names: names.map((name) => ({ name, host: name.startsWith('name') ? name : '' })),
    settings: { ...SETTINGS, ...settings },
    patienceMs: 200,
    make: ({ name, ip }) => {
      const label = ip === '' ? name : ip;
      const server = new HandBackend(label);
      servers.set(label, server);
      made.push(server);
      return server;
    },
    lie: () => lie,
    lookup: async () => addresses,
    clock: TIMERS_CLOCK,
    random: seeded(),
    onEvent: (event) => events.push(event),
  });
  return backend;
}

function open(more: Partial<CallOptions> = {}) {
  const sink = new RecordingSink();
  const call = backend.open(REQUEST, { ...OPTIONS, ...more }, sink);
  const at = servers.get(call.endpoint.replace(/^.* at /, ''))?.calls.at(-1);
  return { sink, call, at: at as HandCall, endpoint: call.endpoint };
}

const states = (): Record<string, string> => Object.fromEntries(backend.views().map(({ endpoint, state }) => [endpoint, state]));
const wait = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const kinds = (): string[] => events.map(({ is }) => is);

/** Fails calls until the endpoint is ejected. */
function eject(endpoint: string, other: string): void {
  for (let i = 0; i < 3; i++) open({ avoid: other }).at.fail();
  expect(states()[endpoint]).toBe('ejected');
}

describe('several endpoints behind one backend', () => {
  it('are warm when the first has stated its signature, and the others join when they have', async () => {
    build(['a', 'b']);
    servers.get('b')!.signature = 'not yet';
    expect(await backend.warm()).toEqual(SIGNATURE);
    expect(states()).toEqual({ a: 'healthy', b: 'warming' });
    servers.get('b')!.signature = SIGNATURE;
    await wait(1_300);
    expect(states()).toEqual({ a: 'healthy', b: 'healthy' });
    expect(await Promise.all([backend.probe(100), wait(20)]).then(([ready]) => ready)).toBe(true);
  });

  it('are asked for their signature one at a time each, however slow they are', async () => {
    build(['a', 'b']);
    let asked = 0;
    servers.get('b')!.warm = () => {
      asked++;
      return new Promise((resolve) => setTimeout(resolve, 3_000, SIGNATURE));
    };
    await backend.warm();
    await wait(2_999);
    expect([asked, states()['b']]).toEqual([1, 'warming']);
    await wait(1);
    expect([asked, states()['b']]).toEqual([1, 'healthy']);
  });

  it('cannot be warm while none of them is, and say why', async () => {
    build(['a', 'b']);
    for (const server of servers.values()) server.signature = 'refused';
    await expect(backend.warm()).rejects.toThrow(/None of the endpoints a, b .* refused/);
    const { sink } = open();
    await wait(0);
    expect([sink.events, sink.fault!.code, sink.reached]).toEqual([
      ['fault BACKEND_UNREACHABLE', 'closed'],
      'BACKEND_UNREACHABLE',
      false,
    ]);
  });

  it('keep out one with another signature until it states the right one', async () => {
    build(['a', 'b']);
    servers.get('b')!.signature = OTHER;
    await backend.warm();
    expect(states()).toEqual({ a: 'healthy', b: 'mismatched' });
    expect(events.filter(({ is }) => is === 'kept-out')).toEqual([
      { is: 'kept-out', endpoint: 'b', reason: 'found outputs "z" FP32 [-1]; the first endpoint states "y" FP32 [-1]' },
    ]);
    for (let i = 0; i < 20; i++) expect(open().endpoint).toBe('a');
    await wait(10_000);
    expect(kinds().filter((is) => is === 'kept-out')).toHaveLength(1);
    servers.get('b')!.signature = SIGNATURE;
    await wait(1_300);
    expect(states()).toEqual({ a: 'healthy', b: 'healthy' });
  });

  it('are looked at again after one was away: what comes back may be another model', async () => {
    build(['a', 'b']);
    await backend.warm();
    const server = servers.get('b')!;
    server.ready = false;
    await wait(15_000);
    expect(states()['b']).toBe('unhealthy');
    server.ready = true;
    server.signature = OTHER;
    await wait(5_000);
    expect(states()['b']).toBe('mismatched');
  });
});

describe('an endpoint whose calls fail', () => {
  it('is ejected, tried with one call after a while, and readmitted when that is good', async () => {
    build(['a', 'b'], { probe: null });
    await backend.warm();
    eject('a', 'b');
    for (let i = 0; i < 20; i++) expect(open().endpoint).toBe('b');
    await wait(1_000);
    const trial = open();
    expect(trial.endpoint).toBe('a');
    expect(open().endpoint).toBe('b');
    trial.at.fail();
    await wait(1_999);
    expect(open().endpoint).toBe('b');
    await wait(1);
    const second = open();
    expect(second.endpoint).toBe('a');
    second.at.answer();
    expect(states()).toEqual({ a: 'healthy', b: 'healthy' });
    const causes = events.map((event) => (event.is === 'ejected' ? `${event.cause} ${event.forMs}` : event.is));
    expect(causes.slice(-3)).toEqual(['consecutive_failures 1000', 'probation_failed 2000', 'admitted']);
  });

  it.each([
    ['fails', Fault.BackendFailed, true],
    ['lies', Fault.BackendLied, true],
    ['cannot be reached', Fault.BackendUnreachable, true],
    ['refuses the input', Fault.BackendRefused, false],
    ['is busy', Fault.BackendBusy, false],
  ])('is ejected only for its own faults: %s', async (_what, kind, ejects) => {
    build(['a'], { probe: null });
    await backend.warm();
    for (let i = 0; i < 3; i++) open().at.fail(kind);
    expect(states()['a']).toBe(ejects ? 'ejected' : 'healthy');
  });

  it('is ejected for answers that do not fit the model, which goes on as it is', async () => {
    build(['a', 'b'], { probe: null });
    await backend.warm();
    lie = 'output "y" is missing';
    for (let i = 0; i < 3; i++) {
      const { at, sink } = open({ avoid: 'b' });
      at.answer();
      expect(sink.events).toEqual(['prediction', 'end', 'closed']);
    }
    expect(states()['a']).toBe('ejected');
  });

  it('is not ejected by callers who grant little time, or who leave', async () => {
    build(['a'], { probe: null });
    await backend.warm();
    for (let i = 0; i < 10; i++) {
      const hasty = open({ timeoutMs: 50 });
      await wait(50);
      if (i % 2 === 0) hasty.at.fail(Fault.BackendTimeout);
      else hasty.call.cancel();
      const leaving = open();
      await wait(300);
      leaving.call.cancel();
      await wait(0);
    }
    expect(states()['a']).toBe('healthy');
  });

  it('is ejected when calls come to the end of a fair time, whoever sees it first', async () => {
    build(['a'], { probe: null });
    await backend.warm();
    for (let i = 0; i < 3; i++) {
      const { at, call } = open({ timeoutMs: 300 });
      await wait(299);
      if (i % 2 === 0) call.cancel();
      else at.fail(Fault.BackendTimeout);
      await wait(0);
    }
    expect(states()['a']).toBe('ejected');
  });

  it('that is the only one is a circuit: calls are refused at once, and one is let through after a while', async () => {
    build(['a'], { probe: null });
    await backend.warm();
    for (let i = 0; i < 3; i++) open().at.fail();
    const refused = open();
    expect(refused.endpoint).toBe('');
    expect(refused.sink.events).toEqual([]);
    await wait(0);
    expect(refused.sink.events).toEqual(['fault BACKEND_UNREACHABLE', 'closed']);
    expect([refused.sink.reached, refused.sink.retryAfterMs]).toEqual([false, 1_000]);
    await wait(1_000);
    const trial = open({ affinity: 9 });
    expect([trial.endpoint, open().endpoint]).toEqual(['a', '']);
    // Who leaves gives the place on trial back at once.
    trial.call.cancel();
    expect(open().endpoint).toBe('a');
    await wait(0);
  });

  it('frees the place on trial when a call there never says how it ended', async () => {
    build(['a'], { probe: null });
    await backend.warm();
    for (let i = 0; i < 3; i++) open().at.fail();
    await wait(1_000);
    expect(open({ timeoutMs: 500 }).endpoint).toBe('a');
    await wait(1_499);
    expect(open().endpoint).toBe('');
    await wait(1);
    expect(open().endpoint).toBe('a');
  });

  it('does not suffer for calls that were begun before it was ejected', async () => {
    build(['a', 'b'], { probe: null });
    await backend.warm();
    const begun = Array.from({ length: 20 }, () => open({ avoid: 'b' }));
    for (const { at } of begun) at.fail();
    expect(backend.views()[0]).toMatchObject({ state: 'ejected', ejections: 1, ejectedForMs: 1_000, inFlight: 0 });
  });

  it('is not gone back to by a second try, not even where it is the only one', async () => {
    build(['a', 'b']);
    await backend.warm();
    for (let i = 0; i < 20; i++) expect(open({ avoid: 'a' }).endpoint).toBe('b');
    eject('b', 'a');
    const { endpoint, sink } = open({ avoid: 'a' });
    await wait(0);
    expect([endpoint, sink.reached]).toEqual(['', false]);
  });
});

describe('a backend that throws when a call is opened', () => {
  it('leaves nothing behind that counts as a call in flight', async () => {
    build(['a']);
    await backend.warm();
    servers.get('a')!.open = () => {
      throw new Error('cannot be written');
    };
    expect(() => open()).toThrow('cannot be written');
    expect(backend.views()[0]!.inFlight).toBe(0);
  });
});

describe('the probes', () => {
  it('take out an endpoint that says it is not ready, and take it back', async () => {
    build(['a', 'b']);
    await backend.warm();
    servers.get('a')!.ready = false;
    // At most one long interval, and then two short ones.
    await wait(6_000 + 2 * 1_200 + 100);
    expect(states()).toEqual({ a: 'unhealthy', b: 'healthy' });
    for (let i = 0; i < 20; i++) expect(open().endpoint).toBe('b');
    servers.get('a')!.ready = true;
    await wait(2 * 1_200 + 100);
    expect(states()).toEqual({ a: 'healthy', b: 'healthy' });
    expect(kinds().slice(-2)).toEqual(['unhealthy', 'admitted']);
  });

  it('that fail everywhere take nobody out while calls succeed', async () => {
    build(['a', 'b']);
    await backend.warm();
    for (const server of servers.values()) server.ready = false;
    await wait(20_000);
    expect(states()).toEqual({ a: 'unhealthy', b: 'unhealthy' });
    const found = new Set(Array.from({ length: 40 }, () => open().endpoint));
    expect([...found].sort()).toEqual(['a', 'b']);
    expect(kinds()).not.toContain('lost');
  });

  it('are one at a time for each endpoint, also when somebody else asks', async () => {
    build(['a', 'b'], { probe: { ...SETTINGS.probe!, intervalMs: 20 } });
    await backend.warm();
    for (let i = 0; i < 50; i++) {
      void backend.probe(100);
      await wait(7);
    }
    await wait(100);
    for (const server of servers.values()) {
      expect(server.probes).toBeGreaterThan(5);
      expect(server.probingMost).toBe(1);
    }
  });

  it('do not fall on the same moment for endpoints that came together', async () => {
    build(['a', 'b', 'c', 'd']);
    await backend.warm();
    const at = new Map<HandBackend, number>();
    for (let ms = 0; ms < 6_000; ms += 10) {
      await wait(10);
      for (const server of made) if (server.probes === 1 && !at.has(server)) at.set(server, ms);
    }
    expect(at.size).toBe(4);
    expect(new Set(at.values()).size).toBeGreaterThan(2);
  });

  it('and the calls together make it lost, and either brings it back', async () => {
    build(['a', 'b']);
    await backend.warm();
    for (const server of servers.values()) server.ready = false;
    await wait(20_000);
    for (let i = 0; i < 20; i++) {
      const { at } = open();
      (at ?? { fail: () => undefined }).fail(Fault.BackendUnreachable, false);
    }
    await wait(3_000);
    expect(events.at(-1)).toMatchObject({
      is: 'lost',
      reason: expect.stringMatching(/every endpoint is out: a is .*, and 1 more/),
    });
    expect(await Promise.all([backend.probe(100), wait(20)]).then(([ready]) => ready)).toBe(false);
    for (const server of servers.values()) server.ready = true;
    await wait(3_000);
    expect(kinds()).toContain('found');
    expect(open().endpoint).not.toBe('');
  });
});

describe('a name that stands for other addresses', () => {
  const ONE = 'name at 10.0.0.1';
  const TWO = 'name at 10.0.0.2';
  const THREE = 'name at 10.0.0.3';

  it('takes in new ones when they are warm, with a share that grows, and lets the old ones finish', async () => {
    addresses = ['10.0.0.1', '10.0.0.2'];
    build(['name'], { slowStartMs: 10_000 });
    await backend.warm();
    await wait(20_000);
    expect(states()).toEqual({ [ONE]: 'healthy', [TWO]: 'healthy' });
    const running = open({ avoid: TWO });
    addresses = ['10.0.0.2', '10.0.0.3'];
    await wait(6_100);
    expect(states()).toEqual({ [TWO]: 'healthy', [THREE]: 'slow-start', [ONE]: 'draining' });
    expect(kinds()).toEqual(expect.arrayContaining(['vanished', 'appeared']));
    expect(made[0]!.closed).toBe(false);
    running.at.answer();
    expect(running.sink.events).toEqual(['prediction', 'end', 'closed']);
    expect([made[0]!.closed, Object.keys(states())]).toEqual([true, [TWO, THREE]]);
  });

  it('keeps calling the old ones until one of the new ones can be called', async () => {
    addresses = ['10.0.0.1'];
    build(['name']);
    await backend.warm();
    const make = HandBackend.prototype.warm;
    vi.spyOn(HandBackend.prototype, 'warm').mockImplementation(function (this: HandBackend) {
      return this.target === '10.0.0.2' && this.warms++ < 3 ? Promise.reject(new Error('loading')) : make.call(this);
    });
    addresses = ['10.0.0.2'];
    await wait(6_100);
    expect(states()).toEqual({ [ONE]: 'healthy', [TWO]: 'warming' });
    expect(open().endpoint).toBe(ONE);
    await wait(10_000);
    expect(states()).toMatchObject({ [TWO]: 'healthy' });
    expect(open().endpoint).toBe(TWO);
    vi.restoreAllMocks();
  });

  it('keeps what it had when the name gives nothing', async () => {
    addresses = ['10.0.0.1'];
    build(['name']);
    await backend.warm();
    addresses = [];
    await wait(20_000);
    expect([states(), made[0]!.closed]).toEqual([{ [ONE]: 'healthy' }, false]);
    expect(kinds().filter((is) => is === 'unresolved')).toHaveLength(1);
  });

  it('cuts calls of one that has left when their time is over', async () => {
    addresses = ['10.0.0.1', '10.0.0.2'];
    build(['name'], { drainMs: 1_000 });
    await backend.warm();
    const running = open({ avoid: TWO });
    addresses = ['10.0.0.2'];
    await wait(6_100 + 1_000);
    expect(running.sink.events).toEqual(['fault CLIENT_GONE', 'closed']);
    expect(states()).toEqual({ [TWO]: 'healthy' });
  });

  it('says why there is nothing to warm', async () => {
    build(['name']);
    await expect(backend.warm()).rejects.toThrow(/name cannot be used: "name" stands for no address/);
  });
});

describe('the end', () => {
  it('lets no call begin and closes every endpoint', async () => {
    build(['a', 'b']);
    await backend.warm();
    const running = open();
    const closing = backend.close();
    const late = open();
    await wait(10);
    await closing;
    expect(running.sink.events).toEqual(['fault CLIENT_GONE', 'closed']);
    expect(late.sink.events).toEqual(['fault BACKEND_UNREACHABLE', 'closed']);
    expect(made.every(({ closed }) => closed)).toBe(true);
    await expect(backend.warm()).rejects.toThrow(/closed/);
    expect(await backend.probe(10)).toBe(false);
  });
});
