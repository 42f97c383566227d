import { describe, expect, it, vi } from 'vitest';
import type { Backend, BackendKind } from '../../../src/core/backend.ts';
import type { Signature } from '../../../src/core/signature.ts';
import { type Role, type Route, type Variant, VariantState } from '../../../src/core/traffic.ts';
import { basisPoints } from '../../../src/core/units.ts';
import { planOf } from '../../../src/router/traffic-plan.ts';
import { LiveSnapshot } from '../../../src/runtime/live-snapshot.ts';
import { Warmer } from '../../../src/runtime/warmer.ts';
import { gateFor } from '../../support/call-fakes.ts';
import { IN_PLACE } from '../../support/offloads.ts';

const signatureWith = (shape: readonly number[]): Signature => ({
  platform: 'p',
  decoupled: false,
  inputs: [{ name: 'x', datatype: 'FP32', shape }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
});
const GOOD = signatureWith([-1, 2]);

/** Warms to what the test says at the time. */
class WarmBackend {
  readonly target = 'test';
  readonly kind: BackendKind;
  answer: Signature | string;
  warmed = 0;

  constructor(kind: BackendKind, answer: Signature | string) {
    this.kind = kind;
    this.answer = answer;
  }

  warm(): Promise<Signature> {
    this.warmed++;
    return typeof this.answer === 'string' ? Promise.reject(new Error(this.answer)) : Promise.resolve(this.answer);
  }
}

const variantOf = (name: string, role: Role, backend: WarmBackend): Variant => ({
  name,
  role,
  labels: [],
  backend: backend as unknown as Backend,
  price: {} as Variant['price'],
  gate: gateFor(1),
  state: new VariantState(),
});

function scene(stable: WarmBackend, shadow: WarmBackend, guarded: readonly string[] = []) {
  const variants = { stable: variantOf('v1', 'stable', stable), shadow: variantOf('v2', 'shadow', shadow) };
  const plan = planOf({
    model: 'm',
    revision: 1,
    variants: [{ variant: variants.stable, weightBp: 10_000 }],
    shadows: [{ variant: variants.shadow, sample: basisPoints(100) }],
  });
  const route = { model: 'm', plan, contract: null } as unknown as Route;
  const live = new LiveSnapshot([route], { identify: () => null });
  const narrowing = new Map([['m', { rules: {}, maxRows: 10, rowsAgree: true, guarded: { input: guarded, output: [] } }]]);
  const warmer = new Warmer({ live, offload: IN_PLACE, narrowing, configFile: 'c.yaml', onState: () => {} });
  return { ...variants, live, warmer };
}

describe('warming', () => {
  it("makes the stable variant's signature the model's, and readies what fits it", async () => {
    const { live, warmer, stable, shadow } = scene(new WarmBackend('onnx', GOOD), new WarmBackend('onnx', GOOD));
    await warmer.start();
    warmer.close();
    expect([stable.state.readiness.is, shadow.state.readiness.is]).toEqual(['ready', 'ready']);
    expect(live.current.route('m')!.contract!.signature).toBe(GOOD);
  });

  it('stops the start when a model file cannot be loaded or does not fit', async () => {
    const broken = scene(new WarmBackend('onnx', 'no such file'), new WarmBackend('onnx', GOOD));
    await expect(broken.warmer.start()).rejects.toThrow(/v1.*no such file/s);
    broken.warmer.close();
    const misfit = scene(new WarmBackend('onnx', GOOD), new WarmBackend('onnx', signatureWith([-1, 3])));
    await expect(misfit.warmer.start()).rejects.toThrow(/v2/);
    misfit.warmer.close();
  });

  it('waits for a stable server that is down, and readies the model file beside it once it is up, loaded once', async () => {
    vi.useFakeTimers();
    const server = new WarmBackend('grpc', 'connection refused');
    const file = new WarmBackend('onnx', GOOD);
    const { warmer, stable, shadow } = scene(server, file);
    await warmer.start();
    expect([stable.state.readiness, shadow.state.readiness.is]).toEqual([
      { is: 'warming', reason: 'connection refused' },
      'warming',
    ]);
    server.answer = GOOD;
    await vi.advanceTimersByTimeAsync(2_000);
    warmer.close();
    vi.useRealTimers();
    expect([stable.state.readiness.is, shadow.state.readiness.is]).toEqual(['ready', 'ready']);
    expect(file.warmed).toBe(1);
  });

  it('follows the endpoints of a variant: lost when all are out, and ready again by itself', async () => {
    const { warmer, stable } = scene(new WarmBackend('grpc', GOOD), new WarmBackend('grpc', GOOD));
    await warmer.start();
    warmer.follow('m', 'v1', 'every endpoint is out');
    expect(stable.state.readiness).toEqual({ is: 'lost', reason: 'every endpoint is out' });
    warmer.follow('m', 'v1', '');
    expect(stable.state.readiness).toEqual({ is: 'ready', signature: GOOD });
    warmer.unload('m', stable);
    warmer.follow('m', 'v1', 'every endpoint is out');
    warmer.follow('m', 'v1', '');
    expect(stable.state.readiness.is).toBe('unloaded');
    warmer.close();
  });

  it('leaves nobody in line before a variant that is lost or unloaded', async () => {
    const { warmer, stable, shadow } = scene(new WarmBackend('grpc', GOOD), new WarmBackend('grpc', GOOD));
    const [lost, unloaded] = [vi.spyOn(stable.gate, 'dismiss'), vi.spyOn(shadow.gate, 'dismiss')];
    await warmer.start();
    warmer.follow('m', 'v1', 'every endpoint is out');
    warmer.unload('m', shadow);
    warmer.close();
    expect([lost, unloaded].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
  });

  it('stops the start when a guard looks at a tensor that the model does not have', async () => {
    const { warmer } = scene(new WarmBackend('onnx', GOOD), new WarmBackend('onnx', GOOD), ['txet']);
    await expect(warmer.start()).rejects.toThrow(/"txet"; expected one of x/);
    warmer.close();
  });
});
