import { describe, expect, it, vi } from 'vitest';
import type { Backend, BackendKind } from '../../../src/core/backend.ts';
import type { VariantChange } from '../../../src/core/control-plane.ts';
import { CallOutcome } from '../../../src/core/gate.ts';
import type { Signature } from '../../../src/core/signature.ts';
import { type Pin, type Role, type Route, type Variant, VariantState } from '../../../src/core/traffic.ts';
import { basisPoints, type Millis } from '../../../src/core/units.ts';
import { planOf } from '../../../src/router/traffic-plan.ts';
import type { VariantName } from '../../../src/runtime/ipc/messages.ts';
import { LiveSnapshot } from '../../../src/runtime/live-snapshot.ts';
import { planView } from '../../../src/runtime/plan-view.ts';
import type { AuditRecord } from '../../../src/runtime/supervisor/audit-log.ts';
import type { Fleet } from '../../../src/runtime/supervisor/fleet.ts';
import { VariantChanges } from '../../../src/runtime/supervisor/variant-changes.ts';
import { Warmer } from '../../../src/runtime/warmer.ts';
import { VariantMover } from '../../../src/runtime/worker/variant-mover.ts';
import { gateFor } from '../../support/call-fakes.ts';
import { IN_PLACE } from '../../support/offloads.ts';

const signatureWith = (size: number): Signature => ({
  platform: 'p',
  decoupled: false,
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, size] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
});
const GOOD = signatureWith(2);

/** Warms to what the test says at the time, and may be closed and warmed again. */
class FakeBackend {
  readonly target = 'test';
  readonly kind: BackendKind;
  answer: Signature | string | Promise<Signature> = GOOD;
  readonly log: string[] = [];

  constructor(kind: BackendKind) {
    this.kind = kind;
  }

  warm(): Promise<Signature> {
    this.log.push('warm');
    return typeof this.answer === 'string' ? Promise.reject(new Error(this.answer)) : Promise.resolve(this.answer);
  }

  close(): Promise<void> {
    this.log.push('close');
    return Promise.resolve();
  }
}

interface Member {
  readonly variant: Variant;
  readonly backend: FakeBackend;
}

function member(name: string, role: Role, kind: BackendKind = 'onnx'): Member {
  const backend = new FakeBackend(kind);
  const state = new VariantState();
  const price = {} as Variant['price'];
  return { backend, variant: { name, role, labels: [], backend: backend as unknown as Backend, price, gate: gateFor(9), state } };
}

/** A stable variant, a canary with 5 %, another without traffic, and a shadow; all warm. */
async function scene(kind: BackendKind = 'onnx') {
  const members = {
    v1: member('v1', 'stable', kind),
    v2: member('v2', 'canary', kind),
    v3: member('v3', 'canary', kind),
    v4: member('v4', 'shadow', kind),
  };
  const plan = planOf({
    model: 'm',
    revision: 1,
    variants: [
      { variant: members.v1.variant, weightBp: 9_500 },
      { variant: members.v2.variant, weightBp: 500 },
      { variant: members.v3.variant, weightBp: 0 },
    ],
    shadows: [{ variant: members.v4.variant, sample: basisPoints(100) }],
  });
  const live = new LiveSnapshot([{ model: 'm', plan, contract: null, timeoutMs: 100 } as unknown as Route], {
    identify: () => null,
  });
  const narrowing = new Map([['m', { rules: {}, maxRows: 10, rowsAgree: true, guarded: { input: [], output: [] } }]]);
  const warmer = new Warmer({ live, offload: IN_PLACE, narrowing, configFile: 'c.yaml', onState: () => {} });
  await warmer.start();
  for (const { backend } of Object.values(members)) backend.log.length = 0;
  const records: AuditRecord[] = [];
  const forgotten: string[] = [];
  const pauses: (() => void)[] = [];
  const clock = { ms: 0 };
  const audit = { full: false };
  const pins: Pin[] = [];
  const mover = new VariantMover({
    live,
    warmer,
    clock: { nowMs: () => clock.ms as Millis, nowUs: () => 0, wallMs: () => 0 },
    forget: (model) => forgotten.push(model),
    pause: () => new Promise<void>((done) => pauses.push(done)),
  });
  const loader = new VariantChanges({
    fleet: fleetOf(mover),
    audit: {
      write: (record) => {
        if (audit.full) throw new Error('disk full');
        records.push(record);
      },
      close: () => {},
    },
    book: () => ({
      knows: ({ model, variant }) => model === 'm' && Object.hasOwn(members, variant),
      setUnloaded: () => undefined,
    }),
    plans: () => Promise.resolve(live.current.routes.map((route) => ({ ...planView(route), pins, fallbacks: [] }))),
    acknowledgeTimeoutMs: () => 1_000,
    requestTimeoutMs: () => 100,
  });
  return { ...members, live, warmer, loader, records, forgotten, pauses, clock, audit, pins };
}

/** One worker, here in this process. */
function fleetOf(mover: VariantMover): Pick<Fleet, 'broadcast' | 'live'> {
  const broadcast = async (name: 'load' | 'unload', takes: VariantName): Promise<unknown> => ({
    gives: [await mover[name](takes)],
    problems: [],
    reached: { acknowledged: 1, total: 1 },
  });
  return { live: [], broadcast } as unknown as Pick<Fleet, 'broadcast' | 'live'>;
}

const change = (variant: string, force = false, model = 'm'): VariantChange => ({
  model,
  variant,
  force,
  dryRun: false,
  actor: 'a',
  reason: 'r',
});
const tick = (): Promise<void> => new Promise((done) => setImmediate(done));

describe('unloading a variant', () => {
  it('is put on record, ends its traffic and closes its backend', async () => {
    const { loader, v3, records, forgotten } = await scene();
    expect(await loader.unload(change('v3'))).toMatchObject({ is: 'applied', variant: { name: 'v3', readiness: 'unloaded' } });
    expect(records).toEqual([
      {
        action: 'variant.unload',
        actor: 'a',
        model: 'm',
        before: { variant: 'v3', readiness: 'ready' },
        after: { variant: 'v3', readiness: 'unloaded', force: false },
        reason: 'r',
      },
    ]);
    expect(v3.variant.state.readiness).toEqual({ is: 'unloaded', reason: 'taken out by an operator' });
    expect(v3.backend.log).toEqual(['close']);
    expect(forgotten).toEqual(['m']);
  });

  it('does not happen when it cannot be put on record', async () => {
    const { loader, v3, audit } = await scene();
    audit.full = true;
    expect(await loader.unload(change('v3'))).toEqual({ is: 'unaudited', problem: 'disk full' });
    expect([v3.variant.state.readiness.is, v3.backend.log]).toEqual(['ready', []]);
  });

  it('needs force for the stable variant and for a canary with traffic, and for no other', async () => {
    const { loader, v1, v2, v4, records } = await scene();
    const stable = await loader.unload(change('v1'));
    expect(stable).toMatchObject({ is: 'needed', problem: expect.stringContaining('the stable variant of "m"') });
    const canary = await loader.unload(change('v2'));
    expect(canary).toMatchObject({ is: 'needed', problem: expect.stringContaining('carries 5 %') });
    expect([v1.variant.state.readiness.is, v2.variant.state.readiness.is, records.length]).toEqual(['ready', 'ready', 0]);
    expect(await loader.unload(change('v4'))).toMatchObject({ is: 'applied', variant: { weightBp: 100 } });
    expect(await loader.unload(change('v1', true))).toMatchObject({ is: 'applied' });
    expect([v1.variant.state.readiness.is, v4.variant.state.readiness.is]).toEqual(['unloaded', 'unloaded']);
  });

  it('needs force for a canary that callers are pinned to', async () => {
    const { loader, v3, pins } = await scene();
    pins.push({ tenant: 'acme', variant: 'v3' });
    expect(await loader.unload(change('v3'))).toMatchObject({ is: 'needed', problem: expect.stringContaining('has pins') });
    expect(v3.variant.state.readiness.is).toBe('ready');
  });

  it('lets calls end before the backend is closed, and refuses another change meanwhile', async () => {
    const { loader, v3, pauses } = await scene();
    v3.variant.gate.enter();
    const unloading = loader.unload(change('v3'));
    await tick();
    expect([v3.variant.state.readiness.is, v3.backend.log, pauses.length]).toEqual(['unloaded', [], 1]);
    expect(await loader.unload(change('v3'))).toEqual({ is: 'busy' });
    expect(await loader.load(change('v3'))).toEqual({ is: 'busy' });
    pauses.shift()!();
    await tick();
    expect(v3.backend.log).toEqual([]);
    v3.variant.gate.leave(CallOutcome.Other, 0);
    pauses.shift()!();
    expect(await unloading).toMatchObject({ is: 'applied' });
    expect(v3.backend.log).toEqual(['close']);
  });

  it('waits no longer than a request of the model may take', async () => {
    const { loader, v3, pauses, clock } = await scene();
    v3.variant.gate.enter();
    const unloading = loader.unload(change('v3'));
    await tick();
    clock.ms = 101;
    pauses.shift()!();
    expect(await unloading).toMatchObject({ is: 'applied', variant: { inFlight: 1 } });
    expect(v3.backend.log).toEqual(['close']);
  });

  it('is done already the second time', async () => {
    const { loader, records } = await scene();
    await loader.unload(change('v3'));
    expect(await loader.unload(change('v3'))).toMatchObject({ is: 'applied', variant: { readiness: 'unloaded' } });
    expect(records).toHaveLength(1);
  });

  it('knows only variants that config names', async () => {
    const { loader } = await scene();
    for (const unknown of [change('v9'), change('v1', true, 'other')]) {
      expect(await loader.unload(unknown)).toEqual({ is: 'unknown' });
      expect(await loader.load(unknown)).toEqual({ is: 'unknown' });
    }
  });
});

describe('loading a variant', () => {
  it('warms it from its file anew, on record', async () => {
    const { loader, v3, records } = await scene();
    await loader.unload(change('v3'));
    v3.backend.log.length = 0;
    expect(await loader.load(change('v3'))).toMatchObject({ is: 'applied', variant: { readiness: 'ready', reason: '' } });
    expect(v3.backend.log).toEqual(['close', 'warm']);
    expect(records.map((record) => record.action)).toEqual(['variant.unload', 'variant.load']);
  });

  it('changes nothing where it is ready', async () => {
    const { loader, v3, records } = await scene();
    expect(await loader.load(change('v3'))).toMatchObject({ is: 'applied', variant: { readiness: 'ready' } });
    expect([v3.backend.log, records]).toEqual([[], []]);
  });

  it('brings the stable variant back with the signature it had, and refuses another', async () => {
    const { loader, v1, live } = await scene();
    await loader.unload(change('v1', true));
    v1.backend.answer = signatureWith(3);
    const misfit = await loader.load(change('v1'));
    expect(misfit).toMatchObject({ is: 'failed', problem: expect.stringContaining('"x"') });
    expect(v1.variant.state.readiness.is).toBe('mismatched');
    v1.backend.answer = GOOD;
    expect(await loader.load(change('v1'))).toMatchObject({ is: 'applied', variant: { readiness: 'ready' } });
    expect(live.current.route('m')!.contract!.signature).toEqual(GOOD);
  });

  it('says why a file cannot be loaded, and tries it again when it is asked', async () => {
    const { loader, v3 } = await scene();
    await loader.unload(change('v3'));
    v3.backend.answer = 'no such file';
    expect(await loader.load(change('v3'))).toEqual({ is: 'failed', problem: 'no such file' });
    v3.backend.answer = GOOD;
    expect(await loader.load(change('v3'))).toMatchObject({ is: 'applied', variant: { readiness: 'ready' } });
  });

  it('answers before a large model is ready, which then gets ready behind the answer', async () => {
    const { loader, v3, pauses } = await scene();
    await loader.unload(change('v3'));
    const { promise, resolve } = Promise.withResolvers<Signature>();
    v3.backend.answer = promise;
    const loading = loader.load(change('v3'));
    await tick();
    pauses.shift()!();
    expect(await loading).toMatchObject({ is: 'applied', variant: { readiness: 'warming', reason: 'is being loaded' } });
    resolve(GOOD);
    await tick();
    expect(v3.variant.state.readiness.is).toBe('ready');
    expect(await loader.unload(change('v3'))).toMatchObject({ is: 'applied' });
  });
});

describe('a server that is down', () => {
  it('is not tried again while its variant is unloaded, and is once it is loaded', async () => {
    const { loader, warmer, v3 } = await scene('grpc');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    v3.backend.answer = 'connection refused';
    await loader.unload(change('v3'));
    expect(await loader.load(change('v3'))).toEqual({ is: 'failed', problem: 'connection refused' });
    await loader.unload(change('v3'));
    v3.backend.answer = GOOD;
    v3.backend.log.length = 0;
    await vi.advanceTimersByTimeAsync(60_000);
    expect([v3.variant.state.readiness.is, v3.backend.log]).toEqual(['unloaded', []]);
    v3.backend.answer = 'connection refused';
    await loader.load(change('v3'));
    v3.backend.answer = GOOD;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(v3.variant.state.readiness.is).toBe('ready');
    warmer.close();
    vi.useRealTimers();
  });

  it('does not come back by an answer that it gave before its variant was unloaded', async () => {
    const { loader, v3 } = await scene('grpc');
    await loader.unload(change('v3'));
    const { promise, resolve } = Promise.withResolvers<Signature>();
    v3.backend.answer = promise;
    const { warmer } = await scene('grpc');
    const loading = warmer.load('m', v3.variant);
    await tick();
    warmer.unload('m', v3.variant);
    resolve(GOOD);
    await loading;
    expect(v3.variant.state.readiness.is).toBe('unloaded');
  });
});
