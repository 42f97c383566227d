import { describe, expect, it } from 'vitest';
import { inferBody, valueBody } from '../../../../bench/fuzz/json-texts.ts';
import { SeededRandom } from '../../../../scripts/models/seeded-random.ts';
import { joinByteStrings } from '../../../../src/core/byte-strings.ts';
import type { RequestContext } from '../../../../src/core/context.ts';
import { Fault, GatewayError } from '../../../../src/core/faults.ts';
import type { InferenceRequest, Tensor } from '../../../../src/core/inference.ts';
import type { Offload } from '../../../../src/core/offload.ts';
import type { Signature } from '../../../../src/core/signature.ts';
import { Phase } from '../../../../src/core/verdict.ts';
import { AsideOffload, IN_PLACE } from '../../../support/offloads.ts';
import { type Asked, answered, decoded } from '../http-fakes.ts';

const BODIES = 300;
const JSON_TYPE = { 'content-type': 'application/json' };
const SIGNATURE: Signature = {
  platform: 'test',
  decoupled: false,
  inputs: [
    { name: 'x', datatype: 'FP32', shape: [-1, 2] },
    { name: 'text', datatype: 'BYTES', shape: [-1] },
  ],
  outputs: [],
};

/** What a body becomes, in words and bytes that can be compared. */
async function seen(asked: Asked): Promise<unknown> {
  const ctx = await decoded(asked);
  if (ctx.fault !== null) return `${ctx.fault.code}: ${ctx.faultDetail}`;
  const request: InferenceRequest = ctx.request!;
  return { ...request, form: ctx.answerForm, inputs: request.inputs.map((input) => ({ ...input, data: [...input.data] })) };
}

const PLACES: readonly (readonly [path: string, task: string, body: (random: SeededRandom) => string])[] = [
  ['/v2/models/made/infer', 'rest-infer', inferBody],
  ['/v2/models/made/generate', 'rest-generate', valueBody],
  ['/v1/models/made:predict', 'v1-predict', valueBody],
  ['/v1/models/made:explain', 'v1-predict', valueBody],
];

describe('a body that is read aside', () => {
  it.each(PLACES)('becomes at %s what it becomes in place', async (path, task, body) => {
    const random = new SeededRandom(11);
    const aside = new AsideOffload(0);
    for (let i = 0; i < BODIES; i++) {
      const asked = { path, method: 'POST', fields: JSON_TYPE, body: body(random), signature: SIGNATURE };
      expect(await seen({ ...asked, offload: aside })).toEqual(await seen({ ...asked, offload: IN_PLACE }));
    }
    expect(new Set(aside.ran)).toEqual(new Set([task]));
  });

  it('keeps its binary tensors', async () => {
    const head =
      '{"inputs":[{"name":"x","datatype":"UINT8","shape":[3],"parameters":{"binary_data_size":3}},{"name":"y","datatype":"UINT8","shape":[1],"data":[9]}]}';
    const fields = { 'inference-header-content-length': String(head.length) };
    const asked = { path: '/v2/models/made/infer', method: 'POST', fields, body: `${head}abc`, signature: SIGNATURE };
    const found = await seen({ ...asked, offload: new AsideOffload(0) });
    expect(found).toEqual(await seen({ ...asked, offload: IN_PLACE }));
    expect(found).toMatchObject({ inputs: [{ data: [97, 98, 99] }, { data: [9] }] });
  });

  it('is refused as the threads refuse it, and heard of no more when its client left meanwhile', async () => {
    const full: Offload = {
      inlineBytes: 0,
      run: () => Promise.reject(new GatewayError(Fault.Overloaded, 'Full.')),
    };
    const asked = { path: '/v2/models/digits/infer', method: 'POST', fields: JSON_TYPE, body: '{"inputs":[]}' };
    await expect(decoded({ ...asked, offload: full })).rejects.toMatchObject({ kind: Fault.Overloaded });
    for (const path of [asked.path, '/v2/models/digits/generate', '/v1/models/digits:predict', '/v1/models/digits:explain']) {
      const aside = new AsideOffload(0);
      const slow: Offload = {
        inlineBytes: 0,
        run: (task, input, bytes, waiting) => {
          (waiting as RequestContext).phase = Phase.Done;
          return aside.run(task, input, bytes);
        },
      };
      const ctx = await decoded({ ...asked, path, offload: slow });
      expect([ctx.request, ctx.fault]).toEqual([null, null]);
    }
  });
});

const scores = (...values: number[]): Tensor => ({
  name: 'scores',
  datatype: 'FP32',
  shape: [values.length / 2, 2],
  data: new Uint8Array(Float32Array.from(values).buffer),
});
const bytes = (text: string): Uint8Array => Buffer.from(text);
const halves: Tensor = { name: 'scores', datatype: 'FP16', shape: [1], data: new Uint8Array(2) };

const QUESTIONS: readonly (readonly [path: string, body: string])[] = [
  ['/v2/models/digits/infer', '{"inputs":[{"name":"image","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}'],
  ['/v2/models/digits/generate', '{"image":[1,2,3,4]}'],
  ['/v2/models/digits/generate_stream', '{"image":[1,2,3,4]}'],
  ['/v1/models/digits:predict', '{"instances":[[1,2,3,4],[1,2,3,4]]}'],
];

describe('an answer that is written aside', () => {
  it.each(QUESTIONS)('says at %s what it says in place', async (path, body) => {
    const asked = { path, method: 'POST', fields: JSON_TYPE, body };
    for (const outputs of [[scores(1.5, -2, 1e-9, 7)], [scores(1, 2), { ...scores(3, 4), name: 'more' }], [halves]]) {
      const aside = new AsideOffload(0);
      const { headers, ...there } = await answered({ ...asked, offload: aside }, outputs);
      const { headers: _, ...here } = await answered({ ...asked, offload: IN_PLACE }, outputs);
      expect(there).toEqual(here);
      // What cannot be said at all in V1 is seen in place.
      expect(aside.ran).toHaveLength(path.endsWith(':predict') && outputs[0] === halves ? 1 : 2);
    }
  });

  it.each(QUESTIONS)('says at %s texts, one or many, as it says them in place', async (path, body) => {
    const asked = { path, method: 'POST', fields: JSON_TYPE, body };
    for (const values of [['only "one"'], ['a', ''], ['é', '\u0000']]) {
      const text: Tensor = { name: 'text', datatype: 'BYTES', shape: [values.length], data: joinByteStrings(values.map(bytes)) };
      const { headers, ...there } = await answered({ ...asked, offload: new AsideOffload(0) }, [text]);
      const { headers: _, ...here } = await answered({ ...asked, offload: IN_PLACE }, [text]);
      expect(there).toEqual(here);
    }
  });

  it.each(QUESTIONS)('is found unsayable at %s as it is in place, and a long one aside', async (path, body) => {
    const asked = { path, method: 'POST', fields: JSON_TYPE, body };
    const strange = joinByteStrings([Uint8Array.of(0xff)]);
    const outputs: Tensor[] = [scores(1, 2), { name: 'text', datatype: 'BYTES', shape: [1], data: strange }];
    const aside = new AsideOffload(0);
    const [there, here] = await Promise.all([decoded({ ...asked, offload: aside }), decoded({ ...asked, offload: IN_PLACE })]);
    for (const ctx of [there, here]) ctx.prediction = { outputs, computeUs: 0 };
    const refusal = here.answerCheck!.refusal(here);
    expect(await there.answerCheck!.refusal(there)).toBe(refusal);
    // In V1 bytes that are no text have base64.
    expect(refusal === '').toBe(path.endsWith(':predict'));
    expect(aside.ran.includes('tensors-unsayable')).toBe(!path.endsWith(':predict'));
  });

  it('does not look at strings that travel as bytes', async () => {
    const [path, body] = QUESTIONS[0]!;
    const binary = body.replace('}]}', '}],"parameters":{"binary_data_output":true}}');
    const ctx = await decoded({ path, method: 'POST', fields: JSON_TYPE, body: binary, offload: new AsideOffload(0) });
    const strange = joinByteStrings([Uint8Array.of(0xff)]);
    ctx.prediction = { outputs: [{ name: 'text', datatype: 'BYTES', shape: [1], data: strange }], computeUs: 0 };
    expect(ctx.answerCheck!.refusal(ctx)).toBe('');
  });

  it.each(QUESTIONS)('is a refusal at %s where the threads have no room', async (path, body) => {
    const inlineBytes = 100;
    const aside = new AsideOffload(inlineBytes);
    const full: Offload = { inlineBytes, run: () => Promise.reject(new GatewayError(Fault.Overloaded, 'Full.')) };
    const asked = { path, method: 'POST', fields: JSON_TYPE, body };
    const long = [scores(...new Array<number>(200).fill(1))];
    expect((await answered({ ...asked, offload: full }, long)).status).toBe(503);
    expect((await answered({ ...asked, offload: aside }, [scores(1, 2)])).status).toBe(200);
    expect(aside.ran).toEqual([]);
  });
});
