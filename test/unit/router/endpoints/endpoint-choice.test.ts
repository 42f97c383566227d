import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../../src/router/endpoints/endpoint.ts';
import { EndpointChoice } from '../../../../src/router/endpoints/endpoint-choice.ts';
import { EndpointTable } from '../../../../src/router/endpoints/endpoint-table.ts';
import { openEndpoint, seeded } from './endpoint-fakes.ts';

const NOW_MS = 1_000;

function choiceOf(members: readonly Endpoint[], random = seeded(), nowMs = NOW_MS) {
  const table = new EndpointTable();
  table.replace(members, nowMs);
  return { table, choice: new EndpointChoice(table, random) };
}

const states = fc.constantFrom('healthy', 'unhealthy', 'ejected', 'over', 'probation', 'on trial', 'warming', 'mismatched');
type State = typeof states extends fc.Arbitrary<infer T> ? T : never;

function endpointIn(state: State, name: string): Endpoint {
  const endpoint = openEndpoint(name);
  if (state === 'unhealthy') for (let i = 0; i < 3; i++) endpoint.probes.note(false);
  if (state === 'ejected') endpoint.moveTo({ is: 'ejected', untilMs: NOW_MS + 1 });
  if (state === 'over') endpoint.moveTo({ is: 'ejected', untilMs: NOW_MS });
  if (state === 'probation') endpoint.moveTo({ is: 'probation', trialUntilMs: 0 });
  if (state === 'on trial') endpoint.moveTo({ is: 'probation', trialUntilMs: NOW_MS + 1 });
  if (state === 'warming' || state === 'mismatched') endpoint.moveTo({ is: state, reason: 'test' });
  return endpoint;
}

describe('the choice of an endpoint', () => {
  it('goes to one that may take a call, in the order of how well they are, and to none only if there is none', () => {
    const call = fc.record({ affinity: fc.constantFrom(0, 77), avoided: fc.nat(9), avoids: fc.boolean() });
    fc.assert(
      fc.property(fc.array(states, { maxLength: 8 }), call, fc.nat(), (list, { affinity, avoided, avoids }, seed) => {
        const members = list.map((state, i) => endpointIn(state, `e${i}:1`));
        const { choice } = choiceOf(members, seeded(seed));
        const avoid = avoids ? `e${avoided}:1` : '';
        const found = choice.pick(affinity, avoid, NOW_MS);
        const isAny = (...wanted: State[]): boolean => list.some((state, i) => wanted.includes(state) && `e${i}:1` !== avoid);
        const state = found === null ? null : list[members.indexOf(found)]!;
        expect(state).not.toBe('ejected');
        expect(found?.label).not.toBe(avoid === '' ? 'none' : avoid);
        const free = affinity === 0 && avoid === '';
        if (free && isAny('over', 'probation')) expect(['over', 'probation']).toContain(state);
        else if (isAny('healthy')) expect(state).toBe('healthy');
        else if (isAny('unhealthy')) expect(state).toBe('unhealthy');
        else if (isAny('over', 'probation')) expect(['over', 'probation']).toContain(state);
        else expect(found).toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  it('knows whether there is one for a call that avoids another, also when an ejection has just ended', () => {
    fc.assert(
      fc.property(fc.array(states, { maxLength: 8 }), fc.nat(9), (list, avoided) => {
        const members = list.map((state, i) => endpointIn(state, `e${i}:1`));
        const { table, choice } = choiceOf(members, seeded(), NOW_MS - 1);
        expect(table.trials.length).toBe(list.filter((state) => state === 'probation' || state === 'on trial').length);
        const avoid = `e${avoided}:1`;
        expect(choice.hasOther(avoid, NOW_MS)).toBe(choice.pick(0, avoid, NOW_MS) !== null);
      }),
      { numRuns: 500 },
    );
  });

  it('leaves one in probation alone while its probes fail and others are there', () => {
    const [well, sick] = [openEndpoint('a:1'), endpointIn('probation', 'b:1')];
    sick.probes.note(false);
    const { choice } = choiceOf([well, sick]);
    for (let i = 0; i < 20; i++) expect(choice.pick(0, '', NOW_MS)).toBe(well);
    expect(choiceOf([sick]).choice.pick(0, '', NOW_MS)).toBe(sick);
  });

  it('of two takes the one that is quicker or less busy', () => {
    const [quick, slow] = [openEndpoint('quick:1'), openEndpoint('slow:1')];
    quick.latency.observe(1_000, NOW_MS);
    slow.latency.observe(3_000, NOW_MS);
    const { choice } = choiceOf([quick, slow]);
    for (let i = 0; i < 50; i++) expect(choice.pick(0, '', NOW_MS)).toBe(quick);
    quick.inFlight = 3;
    for (let i = 0; i < 50; i++) expect(choice.pick(0, '', NOW_MS)).toBe(slow);
  });

  it('sends one call to an endpoint that nothing is known of, and waits for what comes of it', () => {
    const [known, fresh] = [openEndpoint('known:1'), openEndpoint('fresh:1')];
    known.latency.observe(50_000, NOW_MS);
    const { choice } = choiceOf([known, fresh]);
    expect(choice.pick(0, '', NOW_MS)).toBe(fresh);
    fresh.inFlight = 1;
    known.inFlight = 1_000;
    for (let i = 0; i < 50; i++) expect(choice.pick(0, '', NOW_MS)).toBe(known);
  });

  it('spreads calls of equal cost evenly, and loads of many within a little of each other', () => {
    const members = Array.from({ length: 8 }, (_, i) => openEndpoint(`e${i}:1`));
    for (const endpoint of members) endpoint.latency.observe(1_000, NOW_MS);
    const { choice } = choiceOf(members);
    for (let i = 0; i < 8_000; i++) choice.pick(0, '', NOW_MS)!.inFlight++;
    const loads = members.map((endpoint) => endpoint.inFlight);
    expect(Math.max(...loads) - Math.min(...loads)).toBeLessThan(20);
  });

  it('gives an endpoint in its slow start a share that grows to that of the others', () => {
    const SLOW_START_MS = 10_000;
    const shareAt = (nowMs: number): number => {
      const members = [0, 1, 2].map((i) => openEndpoint(`e${i}:1`, { slowStartMs: SLOW_START_MS }));
      const fresh = openEndpoint('fresh:1', { slowStartMs: SLOW_START_MS });
      fresh.moveTo({ is: 'open', sinceMs: 100_000 });
      for (const endpoint of [...members, fresh]) endpoint.latency.observe(1_000, nowMs);
      const { choice } = choiceOf([...members, fresh], seeded(nowMs), nowMs);
      let taken = 0;
      const CALLS = 20_000;
      for (let i = 0; i < CALLS; i++) if (choice.pick(0, '', nowMs) === fresh) taken++;
      return taken / CALLS;
    };
    const shares = [0, 2_500, 5_000, 7_500, 10_000].map((ms) => shareAt(100_000 + ms));
    expect([...shares].sort((a, b) => a - b)).toEqual(shares);
    expect(shares[0]!).toBeGreaterThan(0);
    expect(shares[0]!).toBeLessThan(0.05);
    expect(shares[2]!).toBeLessThan(0.2);
    expect(shares[4]!).toBeCloseTo(0.25, 1);
  });
});
