import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RequestContext } from '../../../src/core/context.ts';
import { Fault, GatewayError } from '../../../src/core/faults.ts';
import { type Maybe, Phase, Verdict } from '../../../src/core/verdict.ts';
import { Lifecycle, type Phases } from '../../../src/gateway/lifecycle.ts';
import { contextWith, FakeExit } from '../../support/request-fakes.ts';

const ORDER = [
  'identify',
  'admit',
  'decode',
  'authorise',
  'inspectInput',
  'place',
  'recall',
  'infer',
  'inspectOutput',
  'book',
  'reply',
] as const;
type Name = (typeof ORDER)[number];

interface World {
  readonly lifecycle: Lifecycle;
  readonly ran: string[];
  readonly lost: unknown[];
  readonly ctx: RequestContext;
  readonly exit: FakeExit;
  followers: boolean;
}

/** A lifecycle whose phases note that they ran and say what `script` says, or Next. */
function world(script: Partial<Record<Name, (ctx: RequestContext) => Maybe<Verdict>>> = {}): World {
  const ran: string[] = [];
  const lost: unknown[] = [];
  const exit = new FakeExit();
  const stage = (name: Name) => ({
    run: (ctx: RequestContext): Maybe<Verdict> => {
      ran.push(name);
      if (name === 'reply') ctx.exit.send(ctx.reply);
      return script[name]?.(ctx) ?? Verdict.Next;
    },
  });
  const w: World = {
    ran,
    lost,
    exit,
    followers: false,
    ctx: contextWith({ exit }),
    lifecycle: new Lifecycle(
      {
        ...(Object.fromEntries(ORDER.map((name) => [name, stage(name)])) as unknown as Phases),
        release: () => ran.push('release'),
        hasFollowers: () => w.followers,
      },
      () => 1,
      (error) => lost.push(error),
    ),
  };
  return w;
}

describe('the lifecycle', () => {
  it('runs every phase once and in order, and releases when the exchange closes', () => {
    const w = world();
    w.lifecycle.drive(w.ctx);
    expect(w.ran).toEqual(ORDER);
    w.lifecycle.closed(w.ctx);
    w.lifecycle.closed(w.ctx);
    expect(w.ran).toEqual([...ORDER, 'release']);
    expect(w.ctx.phase).toBe(Phase.Done);
  });

  it.each(ORDER.slice(0, 9))('goes from a refusal in %s straight to Book, Reply and Release', (name) => {
    const w = world({ [name]: (ctx: RequestContext) => ctx.refuse(Fault.NotFound, 'gone') });
    w.lifecycle.drive(w.ctx);
    w.lifecycle.closed(w.ctx);
    expect(w.ran).toEqual([...ORDER.slice(0, ORDER.indexOf(name) + 1), 'book', 'reply', 'release']);
    expect([w.ctx.fault, w.ctx.faultPhase, w.ctx.faultDetail]).toEqual([Fault.NotFound, ORDER.indexOf(name), 'gone']);
  });

  it('tells the client even when Book itself refuses', () => {
    const w = world({ book: (ctx) => ctx.refuse(Fault.Bug) });
    w.lifecycle.drive(w.ctx);
    expect(w.exit.sent).toHaveLength(1);
  });

  it('waits for the body before Decode', () => {
    const w = world();
    w.ctx.awaitsBody = true;
    w.lifecycle.drive(w.ctx);
    expect(w.ran).toEqual(['identify', 'admit']);
    w.ctx.awaitsBody = false;
    w.lifecycle.drive(w.ctx);
    expect(w.ran).toEqual(ORDER);
  });

  it('goes on with a parked request once, and ignores an answer that comes with an old ticket', () => {
    const w = world({ infer: () => Verdict.Park });
    w.lifecycle.drive(w.ctx);
    const ticket = w.ctx.ticket;
    expect(w.ran.at(-1)).toBe('infer');
    w.lifecycle.resume(w.ctx, ticket - 1, Verdict.Next);
    expect(w.ran.at(-1)).toBe('infer');
    w.lifecycle.resume(w.ctx, ticket, Verdict.Next);
    w.lifecycle.resume(w.ctx, ticket, Verdict.Next);
    expect(w.ran).toEqual(ORDER);
  });

  it('waits for a phase that answers with a promise', async () => {
    const w = world({ inspectInput: () => Promise.resolve(Verdict.Next) });
    w.lifecycle.drive(w.ctx);
    expect(w.ran.at(-1)).toBe('inspectInput');
    await Promise.resolve();
    expect(w.ran).toEqual(ORDER);
  });

  it('makes a fault of the error that a phase throws or rejects with', async () => {
    const thrown = world({
      decode: () => {
        throw new Error('bug');
      },
    });
    thrown.lifecycle.drive(thrown.ctx);
    expect([thrown.ctx.fault, thrown.lost]).toEqual([Fault.Bug, [new Error('bug')]]);
    const known = world({ infer: () => Promise.reject(new GatewayError(Fault.BackendFailed, 'why')) });
    known.lifecycle.drive(known.ctx);
    await Promise.resolve();
    expect([known.ctx.fault, known.ctx.faultDetail, known.lost]).toEqual([Fault.BackendFailed, 'why', []]);
    expect(known.exit.sent).toHaveLength(1);
  });

  it('cuts the exchange when Reply throws, since half an answer may be out', () => {
    const w = world({
      reply: () => {
        throw new Error('encode');
      },
    });
    w.lifecycle.drive(w.ctx);
    expect([w.exit.resets, w.ran.at(-1), w.lost]).toEqual([1, 'release', [new Error('encode')]]);
  });

  it('cancels the call of a client that leaves, and drops what the call reports from inside its cancel', () => {
    const w = world({ infer: () => Verdict.Park });
    w.lifecycle.drive(w.ctx);
    const ticket = w.ctx.ticket;
    let cancels = 0;
    w.ctx.call = {
      cancel: () => {
        cancels++;
        w.ctx.fault = Fault.ClientGone;
        w.lifecycle.resume(w.ctx, ticket, Verdict.Refuse);
      },
    };
    w.lifecycle.abort(w.ctx, true);
    w.lifecycle.abort(w.ctx, true);
    w.lifecycle.closed(w.ctx);
    expect(cancels).toBe(1);
    expect(w.ran).toEqual([...ORDER.slice(0, 8), 'book', 'reply', 'release']);
  });

  it('blames the backend for a deadline that passes while it is at work, and nobody else', () => {
    for (const [awaitsBackend, deadlineIsCallers, fault] of [
      [true, false, Fault.BackendTimeout],
      [true, true, Fault.DeadlineOver],
      [false, false, Fault.DeadlineOver],
    ] as const) {
      const { lifecycle, ctx } = world({ infer: () => Verdict.Park });
      lifecycle.drive(ctx);
      Object.assign(ctx, { awaitsBackend, deadlineIsCallers });
      lifecycle.abort(ctx, false);
      expect(ctx.fault).toBe(fault);
    }
  });

  it('lets a leader whose client left go on while others wait for it, and releases it at the end', () => {
    const w = world({ infer: () => Verdict.Park });
    w.lifecycle.drive(w.ctx);
    w.followers = true;
    w.lifecycle.abort(w.ctx, true);
    w.lifecycle.closed(w.ctx);
    expect(w.ran.at(-1)).toBe('infer');
    w.lifecycle.resume(w.ctx, w.ctx.ticket, Verdict.Next);
    expect(w.ran).toEqual([...ORDER, 'release']);
  });

  it('sends at most once and releases exactly once, whatever happens in whatever order', () => {
    const verdicts = fc.constantFrom(
      Verdict.Next,
      Verdict.Next,
      Verdict.Next,
      Verdict.Answer,
      Verdict.Refuse,
      Verdict.Park,
      'throw' as const,
    );
    const events = fc.array(fc.constantFrom('resume', 'stale', 'gone', 'deadline', 'closed'), { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(verdicts, { minLength: 10, maxLength: 10 }), events, (plan, happenings) => {
        const script: Partial<Record<Name, (ctx: RequestContext) => Verdict>> = {};
        ORDER.slice(0, 10).forEach((name, i) => {
          script[name] = (ctx) => {
            const said = plan[i]!;
            if (said === 'throw') throw new Error(name);
            return said === Verdict.Refuse ? ctx.refuse(Fault.NotFound) : said;
          };
        });
        const w = world(script);
        w.lifecycle.drive(w.ctx);
        for (const happening of happenings) {
          if (happening === 'resume') w.lifecycle.resume(w.ctx, w.ctx.ticket, Verdict.Next);
          else if (happening === 'stale') w.lifecycle.resume(w.ctx, w.ctx.ticket - 1, Verdict.Next);
          else if (happening === 'closed') w.lifecycle.closed(w.ctx);
          else w.lifecycle.abort(w.ctx, happening === 'gone');
        }
        // Whoever still waits is told that its exchange has ended; a Book that parked is resumed first.
        w.lifecycle.closed(w.ctx);
        w.lifecycle.resume(w.ctx, w.ctx.ticket, Verdict.Next);
        expect(w.ran.filter((name) => name === 'release')).toHaveLength(1);
        expect(w.exit.sent.length).toBeLessThanOrEqual(1);
        expect(w.ctx.phase).toBe(Phase.Done);
        for (const name of ORDER) expect(w.ran.filter((ran) => ran === name).length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 3_000, seed: 7 },
    );
  });
});
