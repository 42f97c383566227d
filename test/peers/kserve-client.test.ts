import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClientCases, runClient } from './support/client-cases.ts';
import { type DigitsServed, EXPLANATION, serveDigits, type Told } from './support/digits-served.ts';

let served: DigitsServed;
let rest: ClientCases;
let grpc: ClientCases;

beforeAll(async () => {
  served = await serveDigits();
  rest = await runClient('kserve_rest.py', served.given);
  grpc = await runClient('kserve_grpc.py', served.given);
});

afterAll(async () => {
  await served?.stop();
});

/** Over REST the client forgets the version that it was told. */
function expectEach(answers: readonly Told[], version: string | null): void {
  expect(answers.map((answer) => answer.outputs)).toEqual(served.alone);
  for (const answer of answers) expect(answer).toMatchObject({ id: 'mine', model: 'digits', version });
}

describe("KServe's REST client", () => {
  it('finds the server live and ready', () => {
    expect(rest.value('server_live')).toBe(true);
    expect(rest.value('server_ready')).toBe(true);
  });

  it('finds a model ready, and an unknown one not', () => {
    expect(rest.value('model_ready')).toBe(true);
    expect(rest.value('model_ready_unknown')).toBe(false);
  });

  it("gets the model's own answers, bit for bit", () => {
    expectEach(rest.value('infer_json'), null);
    expect(rest.value<Told>('infer_dict').outputs).toEqual(served.alone[0]);
  });

  it('sends text beyond ASCII', () => {
    expect(rest.value<Told>('infer_text').outputs['probabilities']).toEqual(served.spam['probabilities']);
  });

  it.each([
    ['unknown_model', '404'],
    ['no_key', '401'],
  ])('reads why it is refused: %s', (name, status) => {
    const error = rest.error(name);
    expect(error).toMatchObject({ type: 'HTTPStatusError', status });
    // Its message begins with the server's reason; a comma stands there where it found none.
    expect(error.message).toMatch(/^\w/);
  });

  it("gets the model's own answers with binary tensors", () => {
    expectEach(rest.value('infer_binary'), null);
    expectEach(rest.value('infer_binary_to_json'), null);
  });

  it('predicts over V1', async () => {
    const { predictions } = rest.value<{ predictions: { probabilities: number[]; label: number }[] }>('v1_predict');
    const together = await served.together(1);
    const probabilities = Float32Array.from(predictions.flatMap((row) => row.probabilities));
    expect(Buffer.from(probabilities.buffer).toString('base64')).toBe(together['probabilities']);
    const labels = BigInt64Array.from(predictions.map((row) => BigInt(row.label)));
    expect(Buffer.from(labels.buffer).toString('base64')).toBe(together['label']);
  });

  it('asks for explanations over V1, and reads why it gets none', () => {
    expect(rest.value('v1_explain')).toEqual(EXPLANATION);
    expect(rest.error('v1_explain_nothing')).toMatchObject({ type: 'HTTPStatusError', status: '501' });
    expect(rest.error('v1_explain_nothing').message).toContain('ask :predict');
  });

  it('finds a model ready over V1, and is refused for an unknown one', () => {
    expect(rest.value('v1_model_ready')).toBe(true);
    expect(rest.error('v1_unknown_model')).toMatchObject({ type: 'HTTPStatusError', status: '404' });
  });
});

describe("KServe's gRPC client", () => {
  it('finds the server and a model ready', () => {
    expect(grpc.value('server_live')).toBe(true);
    expect(grpc.value('server_ready')).toBe(true);
    expect(grpc.value('model_ready')).toBe(true);
    expect(grpc.error('model_ready_unknown')).toMatchObject({ status: 'StatusCode.NOT_FOUND' });
  });

  it.each(['infer_raw', 'infer_typed'])("gets the model's own answers, bit for bit: %s", (name) =>
    expectEach(grpc.value(name), 'v1'),
  );

  it('sends text beyond ASCII', () => {
    expect(grpc.value<Told>('infer_text').outputs['probabilities']).toEqual(served.spam['probabilities']);
  });

  it.each([
    ['unknown_model', 'NOT_FOUND'],
    ['no_key', 'UNAUTHENTICATED'],
  ])('is told why it is refused: %s', (name, status) => {
    expect(grpc.error(name)).toMatchObject({ type: 'AioRpcError', status: `StatusCode.${status}` });
  });
});
