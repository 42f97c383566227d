import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDigits } from '../../scripts/models/digits-data.ts';
import { grpcVariant, onnxVariant, TENANTS } from '../support/configs.ts';
import { faceTensor } from '../support/face-tensor.ts';
import { FACES, type Face, type FaceQuestion } from '../support/faces.ts';
import { admin, type GatewayUnderTest, metric, startGateway } from '../support/gateway-under-test.ts';
import { type OipServer, startOipServer } from '../support/oip-server.ts';

/** One column of every datatype that JSON can say, with values that show where one is lost. */
const COLUMNS = [
  ['flag', 'BOOL', [true, false, false, true]],
  ['u8', 'UINT8', [0, 255, 1, 2]],
  ['u16', 'UINT16', [0, 65_535, 1, 2]],
  ['u32', 'UINT32', [0, 4_294_967_295, 1, 2]],
  ['u64', 'UINT64', [0n, 2n ** 64n - 1n, 2n ** 53n + 1n, 2n]],
  ['i8', 'INT8', [-128, 127, -1, 0]],
  ['i16', 'INT16', [-32_768, 32_767, -1, 0]],
  ['i32', 'INT32', [-2_147_483_648, 2_147_483_647, -1, 0]],
  ['i64', 'INT64', [-(2n ** 63n), 2n ** 63n - 1n, -(2n ** 53n) - 1n, 0n]],
  ['f32', 'FP32', [0.1, -3.4028234663852886e38, 1e-45, 16_777_217]],
  ['f64', 'FP64', [0.1, 1.7976931348623157e308, 5e-324, -0.0]],
  ['text', 'BYTES', ['', 'plain', 'grün "quoted"\\', '数字\u0000😀']],
] as const;

const MIXED = {
  name: 'mixed',
  inputs: COLUMNS.map(([name, datatype]) => ({ name, datatype, shape: [-1, 2] })),
  outputs: COLUMNS.map(([name, datatype]) => ({ name: `${name}_out`, datatype, shape: [-1, 2] })),
};
const PLAIN = {
  name: 'plain',
  inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 3] }],
  outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [-1, 3] }],
};

const digit = loadDigits().heldOut[0]!.pixels;

const QUESTIONS: readonly FaceQuestion[] = [
  {
    model: 'digits',
    id: 'q-digits',
    inputs: [faceTensor('image', 'FP32', [1, 28, 28], [...digit])],
    outputs: [
      { name: 'probabilities', datatype: 'FP32', row: [10] },
      { name: 'label', datatype: 'INT64', row: [] },
    ],
  },
  {
    model: 'plain',
    id: 'q-plain',
    inputs: [faceTensor('x', 'FP32', [1, 3], [0.1, -2.5, 3e38])],
    outputs: [{ name: 'y', datatype: 'FP32', row: [3] }],
  },
  {
    model: 'mixed',
    id: 'q-mixed',
    inputs: COLUMNS.map(([name, datatype, values]) => faceTensor(name, datatype, [2, 2], values)),
    outputs: COLUMNS.map(([name, datatype]) => ({ name: `${name}_out`, datatype, row: [2] })),
  },
];

const facesFor = ({ inputs }: FaceQuestion): Face[] => FACES.filter((face) => !face.single || inputs.length === 1);

let server: OipServer;
let gateway: GatewayUnderTest;

beforeAll(async () => {
  server = await startOipServer({ models: [MIXED, PLAIN] });
  const cache = { ttlMs: 600_000 };
  const digits = { variants: [onnxVariant('v1', 'stable', 'digits/v1.onnx')] };
  const mixed = { variants: [grpcVariant('v1', 'stable', server.address, {}, { model: 'mixed' })] };
  const plain = { variants: [grpcVariant('v1', 'stable', server.address, {}, { model: 'plain' })] };
  gateway = await startGateway({
    tenants: TENANTS,
    models: {
      digits,
      mixed,
      plain,
      'digits-cached': { ...digits, cache },
      'mixed-cached': { ...mixed, cache },
      'plain-cached': { ...plain, cache },
    },
  });
});

afterAll(async () => {
  expect(await gateway.stop()).toBe(0);
  await server.close();
});

describe('the faces of the gateway', () => {
  it.each(QUESTIONS.map((question) => [question.model, question] as const))(
    'give equal answers to "%s" with the cache off',
    async (_, question) => {
      const faces = facesFor(question);
      const expected = (await faces[0]!.ask(gateway, question)).outputs;
      expect(expected).toHaveLength(question.outputs.length);
      for (const face of faces) {
        const { outputs, id, cache } = await face.ask(gateway, question);
        expect({ face: face.name, outputs }).toEqual({ face: face.name, outputs: expected });
        if (id !== null) expect([face.name, id]).toEqual([face.name, question.id]);
        if (cache !== null) expect([face.name, cache]).toEqual([face.name, 'bypass']);
      }
    },
  );

  it('lose no bit of any datatype on the way to the backend and back', async () => {
    const question = QUESTIONS[2]!;
    const sent = new Map(question.inputs.map(({ name, data }) => [`${name}_out`, data]));
    for (const face of facesFor(question)) {
      const { outputs } = await face.ask(gateway, question);
      for (const { name, data } of outputs) expect([face.name, name, data]).toEqual([face.name, name, sent.get(name)]);
      const call = server.calls.at(-1)!;
      for (const { name, data } of call.inputs)
        expect([face.name, Buffer.from(data)]).toEqual([face.name, sent.get(`${name}_out`)]);
    }
  });

  it.each(QUESTIONS.map((question) => [question.model, question] as const))(
    'share one entry for "%s" with the cache on, whichever comes first, and each echoes its own id',
    async (_, question) => {
      const model = `${question.model}-cached`;
      const faces = facesFor(question);
      for (const first of faces) {
        await admin(gateway, 'POST', 'cache/purge', { model });
        const attempts = await metric(gateway, 'sluice_backend_attempts_total', { model });
        const { outputs: expected, cache } = await first.ask(gateway, { ...question, model });
        if (cache !== null) expect([first.name, cache]).toEqual([first.name, 'miss']);
        for (const [i, face] of faces.entries()) {
          const answer = await face.ask(gateway, { ...question, model, id: `own-${i}` });
          expect([face.name, answer.outputs]).toEqual([face.name, expected]);
          if (answer.cache !== null) expect([first.name, face.name, answer.cache]).toEqual([first.name, face.name, 'hit']);
          if (answer.id !== null) expect([face.name, answer.id]).toEqual([face.name, `own-${i}`]);
        }
        expect([first.name, await metric(gateway, 'sluice_backend_attempts_total', { model })]).toEqual([
          first.name,
          attempts + 1,
        ]);
      }
    },
  );
});
