import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { loadDigits } from '../../../scripts/models/digits-data.ts';
import { grpcVariant, onnxVariant, TENANTS } from '../../support/configs.ts';
import { type GatewayUnderTest, MODEL_DIR, startGateway } from '../../support/gateway-under-test.ts';
import { type OipServer, startOipServer } from '../../support/oip-server.ts';
import { answerJson, type ScriptedHttpServer, startScriptedHttpServer } from '../../support/scripted-http-server.ts';

/** A gateway with the committed models, what the clients of peers are told of it, and the models' own answers to compare with. */

const SAMPLES = 8;
const TEXT = 'Grüße, free money: winner click here now 🎉';

/** What the explained model is told of two rows. */
export const EXPLANATION = {
  predictions: [0, 1],
  explanations: { name: 'AnchorTabular', data: { anchor: ['x > 1'], precision: 0.97 } },
  instances: [
    [1.5, 2.5],
    [3.5, 4.5],
  ],
};

/** Tensors by name, as base64 of their bytes. */
export type Outputs = Readonly<Record<string, string>>;

/** What the scripts tell of one answer. */
export interface Told {
  readonly id: string | null;
  readonly model: string;
  readonly version: string | null;
  readonly outputs: Outputs;
}

export interface DigitsServed {
  readonly gateway: GatewayUnderTest;
  readonly given: Readonly<Record<string, unknown>>;
  /** One answer a sample, each asked alone. */
  readonly alone: readonly Outputs[];
  /** The answer to all samples asked together, `times` over. */
  together(times: number): Promise<Outputs>;
  readonly spam: Outputs;
  stop(): Promise<void>;
}

export async function serveDigits(): Promise<DigitsServed> {
  const hanging: OipServer = await startOipServer({
    models: [
      {
        name: 'hangs',
        inputs: [{ name: 'x', datatype: 'FP32', shape: [-1] }],
        outputs: [{ name: 'x', datatype: 'FP32', shape: [-1] }],
      },
    ],
    onInfer: () => ({ is: 'hang' }),
  });
  const explainer = await startExplainer();
  const gateway = await startGateway({
    tenants: TENANTS,
    models: {
      digits: { maxRows: 4_096, variants: [onnxVariant('v1', 'stable', 'digits/v1.onnx')] },
      spam: { variants: [onnxVariant('v1', 'stable', 'spam/v1.onnx')] },
      explained: {
        variants: [{ name: 'v1', role: 'stable', backend: { kind: 'http', protocol: 'v1', endpoints: [explainer.url] } }],
      },
      hangs: { timeoutMs: 30_000, variants: [grpcVariant('v1', 'stable', hanging.address)] },
    },
  });
  const dir = mkdtempSync(join(tmpdir(), 'sluice-peers-'));
  const images = loadDigits()
    .heldOut.slice(0, SAMPLES)
    .map((sample) => sample.pixels);
  writeFileSync(join(dir, 'pixels.f32'), Buffer.concat(images.map(bytesOf)));
  const digits = await InferenceSession.create(join(MODEL_DIR, 'digits/v1.onnx'), { intraOpNumThreads: 1 });
  const spam = await InferenceSession.create(join(MODEL_DIR, 'spam/v1.onnx'), { intraOpNumThreads: 1 });
  const alone: Outputs[] = [];
  for (const image of images) alone.push(await answerOf(digits, [image]));
  return {
    gateway,
    given: {
      http: gateway.httpUrl.replace('http://', ''),
      httpUrl: gateway.httpUrl,
      grpc: gateway.grpcAddress,
      key: gateway.keys['alpha'],
      pixels: join(dir, 'pixels.f32'),
      text: TEXT,
    },
    alone,
    together: (times) => answerOf(digits, Array.from({ length: times }, () => images).flat()),
    spam: outputsOf(await spam.run({ text: new Tensor('string', [TEXT], [1]) })),
    stop: async () => {
      await gateway.stop();
      await hanging.close();
      await explainer.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A V1 server that explains what it was asked for, in the shape of KServe's explainers. */
function startExplainer(): Promise<ScriptedHttpServer> {
  const tensor = { dtype: 'DT_FLOAT', tensor_shape: { dim: [{ size: '-1' }, { size: '2' }] } };
  const signature = { serving_default: { inputs: { x: tensor }, outputs: { y: tensor } } };
  return startScriptedHttpServer({
    onRequest: ({ path, body }) => {
      if (path.endsWith('/metadata')) return answerJson({ metadata: { signature_def: { signature_def: signature } } });
      const { instances } = JSON.parse(body.toString() || '{}') as { instances?: unknown };
      return path.endsWith(':explain') ? answerJson({ ...EXPLANATION, instances }) : answerJson({ ready: true });
    },
  });
}

async function answerOf(session: InferenceSession, images: readonly Float32Array[]): Promise<Outputs> {
  const pixels = new Float32Array(images.length * 784);
  for (const [i, image] of images.entries()) pixels.set(image, i * 784);
  return outputsOf(await session.run({ image: new Tensor('float32', pixels, [images.length, 28, 28]) }));
}

function outputsOf(result: InferenceSession.OnnxValueMapType): Outputs {
  return Object.fromEntries(
    Object.entries(result).map(([name, tensor]) => [
      name,
      bytesOf(tensor.data as Float32Array | BigInt64Array).toString('base64'),
    ]),
  );
}

function bytesOf(values: Float32Array | BigInt64Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}
