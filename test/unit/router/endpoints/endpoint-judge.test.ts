import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../../src/router/endpoints/endpoint.ts';
import { EndpointJudge } from '../../../../src/router/endpoints/endpoint-judge.ts';
import type { EjectionSettings } from '../../../../src/router/endpoints/endpoint-settings.ts';
import { EndpointTable } from '../../../../src/router/endpoints/endpoint-table.ts';
import { openEndpoint, SETTINGS } from './endpoint-fakes.ts';

function scene(count: number, rules: Partial<EjectionSettings> = {}) {
  const ejection = { ...SETTINGS.ejection, ...rules };
  const members = Array.from({ length: count }, (_, i) => openEndpoint(`e${i}:1`, { ejection }));
  const table = new EndpointTable();
  table.replace(members, 0);
  const events: string[] = [];
  const judge = new EndpointJudge(ejection, table, {
    onEjected: (endpoint, cause, forMs) => events.push(`${endpoint.label} ${cause} ${forMs}`),
    onAdmitted: (endpoint) => events.push(`${endpoint.label} admitted`),
    onUnreached: (endpoint) => events.push(`${endpoint.label} unreached`),
  });
  const fail = (endpoint: Endpoint, times: number, nowMs: number): void => {
    for (let i = 0; i < times; i++) judge.failed(endpoint, endpoint.epoch, false, nowMs);
  };
  return { members, table, judge, events, fail };
}

/** What is known of an endpoint by a model that keeps it simple. */
interface Modelled {
  is: 'open' | 'ejected' | 'probation';
  untilMs: number;
  sinceMs: number;
  inRow: number;
  strikes: number;
  trialUntilMs: number;
}

const events = fc.array(
  fc.record({
    afterMs: fc.constantFrom(0, 1, 400, 1_000, 4_000, 31_000),
    endpoint: fc.nat(5),
    what: fc.constantFrom('good', 'bad', 'passed', 'begin', 'old bad', 'old good'),
  }),
  { maxLength: 120 },
);

describe('the judge of endpoints', () => {
  it('does what a plain model of ejection, penalty and probation does, and never has too many out', () => {
    fc.assert(
      fc.property(events, fc.integer({ min: 1, max: 6 }), fc.constantFrom(10, 50, 100), (list, count, percent) => {
        const { members, table, judge } = scene(count, { maxEjectedPercent: percent });
        const model: Modelled[] = members.map(() => ({
          is: 'open',
          untilMs: 0,
          sinceMs: 0,
          inRow: 0,
          strikes: 0,
          trialUntilMs: 0,
        }));
        const most = Math.max(1, Math.floor((count * percent) / 100));
        let nowMs = 0;
        for (const { afterMs, endpoint: n, what } of list) {
          nowMs += afterMs;
          table.sort(nowMs);
          for (const each of model)
            if (each.is === 'ejected' && each.untilMs <= nowMs) Object.assign(each, { is: 'probation', trialUntilMs: 0 });
          const endpoint = members[n % count]!;
          const known = model[n % count]!;
          // Nothing is asked of an endpoint that is ejected: what comes then was begun before.
          const epoch = what.startsWith('old') || known.is === 'ejected' ? endpoint.epoch - 1 : endpoint.epoch;
          if (what === 'begin' && known.is !== 'ejected') judge.began(endpoint, 100, nowMs);
          if (what.endsWith('good')) judge.succeeded(endpoint, epoch, nowMs);
          if (what.endsWith('bad')) judge.failed(endpoint, epoch, false, nowMs);
          if (what === 'passed') judge.passed(endpoint, epoch);
          if (epoch === endpoint.epoch || what === 'good' || what === 'bad') expectation(known, model, { what, nowMs, most });
          const out = members.filter(({ standing }) => standing.is !== 'open').length;
          expect(out).toBeLessThanOrEqual(most);
          members.forEach((member, i) => {
            const { standing, strikes } = member;
            expect([standing.is, strikes]).toEqual([model[i]!.is, model[i]!.strikes]);
            if (standing.is === 'ejected') expect(standing.untilMs).toBe(model[i]!.untilMs);
            if (standing.is === 'probation') expect(standing.trialUntilMs).toBe(model[i]!.trialUntilMs);
          });
        }
      }),
      { numRuns: 300 },
    );
  });

  it('lets old failures fade when all has been well for a while', () => {
    const { members, judge, table, events: told, fail } = scene(2);
    const [sick] = members;
    const round = (nowMs: number): void => {
      fail(sick!, 3, nowMs);
      table.sort(nowMs + 10_000);
      judge.succeeded(sick!, sick!.epoch, nowMs + 10_000);
    };
    for (const nowMs of [0, 20_000, 40_000, 60_000, 80_000]) round(nowMs);
    expect(told.filter((event) => event.includes('consecutive')).map((event) => event.split(' ')[2])).toEqual([
      '1000',
      '2000',
      '3000',
      '4000',
      '4000',
    ]);
    // Five ejections, of which ninety seconds forgive three.
    fail(sick!, 3, 90_000 + 90_000);
    expect(told.at(-1)).toBe('e0:1 consecutive_failures 3000');
  });

  it('never lets a place on trial stick: a call that says nothing gives it back, and one that says nothing ever loses it', () => {
    const { members, judge, table, fail } = scene(1);
    const [only] = members;
    fail(only!, 3, 0);
    table.sort(1_000);
    judge.began(only!, 500, 1_000);
    expect(only!.standing).toEqual({ is: 'probation', trialUntilMs: 2_500 });
    judge.passed(only!, only!.epoch);
    expect(only!.standing).toEqual({ is: 'probation', trialUntilMs: 0 });
  });

  it('ejects one whose share of good calls lies below that of the others, once there are enough of both', () => {
    const successRate = { windowMs: 10_000, minCalls: 20, gapPercent: 30 };
    const { members, judge, events: told } = scene(3, { successRate, consecutiveFailures: 100 });
    const [half, ...others] = members;
    for (let i = 0; i < 9; i++) {
      judge.succeeded(half!, half!.epoch, i);
      judge.failed(half!, half!.epoch, false, i);
      for (const other of others) judge.succeeded(other, other.epoch, i);
    }
    expect(told).toEqual([]);
    for (const other of others) for (let i = 0; i < 20; i++) judge.succeeded(other, other.epoch, 20);
    judge.succeeded(half!, half!.epoch, 20);
    judge.failed(half!, half!.epoch, false, 20);
    expect(told).toEqual(['e0:1 success_rate 1000']);
  });

  it('believes two witnesses at once: a call and a probe that do not get there', () => {
    const first = scene(2);
    first.judge.failed(first.members[0]!, first.members[0]!.epoch, true, 0);
    first.judge.probed(first.members[0]!, false, 1);
    expect(first.events).toEqual(['e0:1 unreached', 'e0:1 unreachable 1000']);
    const second = scene(2);
    second.members[0]!.probes.note(false);
    second.judge.probed(second.members[0]!, false, 0);
    expect(second.events).toEqual([]);
    second.judge.failed(second.members[0]!, second.members[0]!.epoch, true, 1);
    expect(second.events).toEqual(['e0:1 unreached', 'e0:1 unreachable 1000']);
  });

  it('ends an ejection early when a probe is good again, and not when it was good all along', () => {
    const { members, judge, fail } = scene(2);
    const [sick] = members;
    fail(sick!, 3, 0);
    judge.probed(sick!, true, 100);
    expect(sick!.standing.is).toBe('ejected');
    judge.probed(sick!, false, 200);
    judge.probed(sick!, true, 300);
    expect(sick!.standing.is).toBe('probation');
  });
});

/** Moves the model on by one event. */
function expectation(
  known: Modelled,
  all: readonly Modelled[],
  { what, nowMs, most }: { what: string; nowMs: number; most: number },
): void {
  const { baseMs, maxMs, forgiveMs, consecutiveFailures } = SETTINGS.ejection;
  const eject = (): void => {
    if (known.is === 'open') known.strikes = Math.max(0, known.strikes - Math.floor((nowMs - known.sinceMs) / forgiveMs));
    known.strikes++;
    known.is = 'ejected';
    known.untilMs = nowMs + Math.min(maxMs, baseMs * known.strikes);
  };
  if (known.is === 'ejected' || what.startsWith('old')) return;
  if (what === 'begin' && known.is === 'probation') known.trialUntilMs = nowMs + 100 + 1_000;
  if (what === 'passed') known.trialUntilMs = 0;
  if (what === 'good') {
    known.inRow = 0;
    if (known.is === 'probation') Object.assign(known, { is: 'open', sinceMs: nowMs });
  }
  if (what !== 'bad') return;
  known.inRow++;
  const out = all.filter(({ is }) => is !== 'open').length;
  if (known.is === 'probation' || (known.inRow >= consecutiveFailures && out < most)) eject();
}
