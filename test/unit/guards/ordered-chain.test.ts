import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Ruling } from '../../../src/core/guard.ts';
import type { Maybe } from '../../../src/core/verdict.ts';
import type { Guard } from '../../../src/guards/guard.ts';
import { GUARD_TIMEOUT_MS, OrderedChain } from '../../../src/guards/ordered-chain.ts';
import type { Subject } from '../../../src/guards/subject.ts';
import { inspectionOf, textsOf, textTensor } from '../../support/guard-tensors.ts';

const guardOf = (name: string, check: (subject: Subject) => Maybe<Ruling>, failClosed = true): Guard => ({
  name,
  failClosed,
  check,
});

const shout = (name: string): Guard =>
  guardOf(name, (subject) => {
    const text = subject.texts(0)[0]!;
    subject.rewrite(text, `${text.value}!`);
    return Ruling.Rewrite;
  });

function run(...guards: readonly Guard[]) {
  const rulings: (string | number)[] = [];
  const chain = new OrderedChain(guards, 'policy', (name, ruling) => rulings.push(name, ruling));
  const inspection = inspectionOf([textTensor('text', ['hey'])]);
  const ruling = chain.inspect(inspection);
  return { ruling, rulings, inspection, text: () => textsOf(inspection.tensors[0]!)[0] };
}

const boom = (subject: Subject): Ruling => {
  subject.rewrite(subject.texts(0)[0]!, 'half done');
  throw new Error('boom');
};

describe('OrderedChain', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('answers Error when a guard that fails closed throws', () => {
    const { ruling, rulings, inspection } = run(guardOf('broken', boom), shout('later'));
    expect(ruling).toBe(Ruling.Error);
    expect(rulings).toEqual(['broken', Ruling.Error]);
    expect([inspection.guard, inspection.rule]).toEqual(['broken', 'failed']);
  });

  it('goes on, without the drafts, when a guard that fails open throws', () => {
    const { ruling, rulings, inspection, text } = run(guardOf('broken', boom, false), shout('later'));
    expect(ruling).toBe(Ruling.Rewrite);
    expect(rulings).toEqual(['broken', Ruling.Error, 'later', Ruling.Rewrite]);
    expect(inspection.guard).toBe('later');
    expect(text()).toBe('hey!');
  });

  it('allows when the only guard failed open', () => {
    const { ruling, inspection } = run(guardOf('broken', boom, false));
    expect(ruling).toBe(Ruling.Allow);
    expect(inspection.guard).toBe('');
  });

  it('drops drafts of a guard that does not rule Rewrite', () => {
    const drafting = guardOf('drafting', (subject) => {
      subject.rewrite(subject.texts(0)[0]!, 'other');
      return Ruling.Flag;
    });
    const rewritesNothing = guardOf('nothing', () => Ruling.Rewrite);
    const { ruling, text } = run(drafting, rewritesNothing);
    expect(ruling).toBe(Ruling.Rewrite);
    expect(text()).toBe('hey');
  });

  it('commits one tensor for the rewritings of several guards', () => {
    expect(run(shout('a'), shout('b'), shout('c')).text()).toBe('hey!!!');
  });

  it('waits for guards that answer later and keeps the order', async () => {
    const later = guardOf('later', async (subject) => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      return shout('x').check(subject);
    });
    const { ruling, rulings, text } = run(shout('first'), later, shout('last'));
    expect(ruling).toBeInstanceOf(Promise);
    await vi.advanceTimersByTimeAsync(10);
    expect(await ruling).toBe(Ruling.Rewrite);
    expect(rulings).toEqual(['first', Ruling.Rewrite, 'later', Ruling.Rewrite, 'last', Ruling.Rewrite]);
    expect(text()).toBe('hey!!!');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('counts a rejection as a guard that could not judge', async () => {
    const { ruling, inspection } = run(guardOf('broken', () => Promise.reject(new Error('boom'))));
    expect(await ruling).toBe(Ruling.Error);
    expect(inspection.rule).toBe('failed');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('gives up a guard that hangs, and fails closed', async () => {
    const { ruling, rulings, inspection } = run(
      guardOf('hung', () => new Promise(() => {})),
      shout('later'),
    );
    await vi.advanceTimersByTimeAsync(GUARD_TIMEOUT_MS);
    expect(await ruling).toBe(Ruling.Error);
    expect(rulings).toEqual(['hung', Ruling.Error]);
    expect([inspection.guard, inspection.rule]).toEqual(['hung', 'timeout']);
  });

  it('keeps what came before a hung guard that fails open, and nothing the guard writes later', async () => {
    let wake: () => void = () => {};
    const hung = guardOf(
      'hung',
      async (subject) => {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        subject.rewrite(subject.texts(0)[0]!, 'too late');
        subject.accept();
        return Ruling.Rewrite;
      },
      false,
    );
    const waits = guardOf('waits', () => new Promise((resolve) => setTimeout(resolve, 10, Ruling.Allow)));
    const { ruling, rulings, text } = run(shout('first'), hung, waits, shout('last'));
    await vi.advanceTimersByTimeAsync(GUARD_TIMEOUT_MS);
    wake();
    await vi.advanceTimersByTimeAsync(10);
    expect(await ruling).toBe(Ruling.Rewrite);
    expect(rulings).toEqual(['first', Ruling.Rewrite, 'hung', Ruling.Error, 'waits', Ruling.Allow, 'last', Ruling.Rewrite]);
    expect(text()).toBe('hey!!');
  });

  it('serves many inspections at once', async () => {
    const later = guardOf('later', () => new Promise((resolve) => setTimeout(resolve, 10, Ruling.Flag)));
    const chain = new OrderedChain([shout('a'), later], 'policy', () => {});
    const inspections = ['x', 'y', 'z'].map((text) => inspectionOf([textTensor('text', [text])]));
    const rulings = inspections.map((inspection) => chain.inspect(inspection));
    await vi.advanceTimersByTimeAsync(10);
    expect(await Promise.all(rulings)).toEqual([Ruling.Rewrite, Ruling.Rewrite, Ruling.Rewrite]);
    expect(inspections.map((inspection) => textsOf(inspection.tensors[0]!)[0])).toEqual(['x!', 'y!', 'z!']);
  });
});
