import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClientCases, runClient } from './support/client-cases.ts';
import { type DigitsServed, serveDigits, type Told } from './support/digits-served.ts';

let served: DigitsServed;
let client: ClientCases;

beforeAll(async () => {
  served = await serveDigits();
  client = await runClient('triton_http.py', served.given);
});

afterAll(async () => {
  await served?.stop();
});

/** Answers to each sample alone, asked for with the id `prefix` and its place. */
function expectEach(name: string, prefix: string): void {
  const answers = client.value<Told[]>(name);
  expect(answers.map((answer) => answer.outputs)).toEqual(served.alone);
  expect(answers.map((answer) => answer.id)).toEqual(answers.map((_, i) => `${prefix}${i}`));
  expect(new Set(answers.map((answer) => `${answer.model}/${answer.version}`))).toEqual(new Set(['digits/v1']));
}

describe("Triton's HTTP client asking about the server", () => {
  it('finds it live and ready without a key', () => {
    expect(client.value('server_live')).toBe(true);
    expect(client.value('server_ready')).toBe(true);
  });

  it('reads its metadata', () => {
    expect(client.value('server_metadata')).toMatchObject({ name: 'sluice' });
  });

  it('finds a model ready, by its version too, and an unknown one not', () => {
    expect(client.value('model_ready')).toBe(true);
    expect(client.value('model_ready_by_version')).toBe(true);
    expect(client.value('model_ready_unknown')).toBe(false);
  });

  it('reads the metadata of a model', () => {
    expect(client.value('model_metadata')).toMatchObject({
      name: 'digits',
      versions: ['v1'],
      inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 28, 28] }],
    });
    expect(client.value('model_metadata_by_version')).toMatchObject({ name: 'spam' });
  });

  it('reads config, statistics and the repository index', () => {
    expect(client.value('model_config')).toMatchObject({ name: 'digits' });
    expect(client.value('model_statistics')).toMatchObject({ model_stats: [{ name: 'digits', version: 'v1' }] });
    expect(client.value<{ model_stats: unknown[] }>('all_statistics').model_stats.length).toBe(4);
    expect(client.value('repository_index')).toContainEqual(expect.objectContaining({ name: 'digits', state: 'READY' }));
  });

  it('is refused where it would load, unload or map memory, with a reason it can read', () => {
    for (const name of ['load_model', 'unload_model', 'shared_memory_status', 'register_shared_memory', 'trace_settings']) {
      const error = client.error(name);
      expect(error.type, name).toBe('InferenceServerException');
      expect(['403', '404', '405', '501'], name).toContain(error.status);
      expect(error.message, name).not.toContain('exception occurred in the client');
    }
  });
});

describe("Triton's HTTP client predicting with JSON", () => {
  it("gets the model's own answers, bit for bit, with its ids", () => expectEach('infer_json', 'r'));
  it('gets them for many requests at once over eight connections', () => expectEach('infer_async', 'a'));

  it('gets just the output it names', () => {
    const { label } = served.alone[0]!;
    expect(client.value<Told>('infer_json_one_output').outputs).toEqual({ label });
  });

  it('gets many rows in one answer', async () => {
    expect(client.value<Told>('infer_json_many_rows').outputs).toEqual(await served.together(1));
  });

  it('sends text beyond ASCII', () => {
    expect(client.value<Told>('infer_json_text').outputs).toEqual({ probabilities: served.spam['probabilities'] });
  });

  it('may name the version, use the other key field, and add parameters', () => {
    for (const name of ['infer_by_version', 'infer_with_api_key_field', 'infer_with_query_and_parameters']) {
      expect(client.value<Told>(name).outputs, name).toEqual(served.alone[0]);
    }
  });

  it('keeps one connection for a hundred requests', () => {
    expect(client.value('infer_over_one_connection')).toBe(1);
  });

  it('works in its asyncio form', () => {
    expect(client.value('infer_asyncio')).toMatchObject([true, { outputs: served.alone[0] }]);
  });
});

describe("Triton's HTTP client predicting with binary tensors", () => {
  it.each(['infer_binary', 'infer_binary_asked', 'infer_binary_to_json', 'infer_json_to_binary'])(
    "gets the model's own answers, bit for bit: %s",
    (name) => expectEach(name, 'r'),
  );

  it.each(['infer_gzip', 'infer_deflate', 'infer_json_gzip'])('may pack both ways: %s', (name) => expectEach(name, 'r'));

  it('gets many rows in one answer', async () => {
    expect(client.value<Told>('infer_binary_many_rows').outputs).toEqual(await served.together(1));
  });

  it('sends text beyond ASCII', () => {
    expect(client.value<Told>('infer_binary_text').outputs['probabilities']).toEqual(served.spam['probabilities']);
  });

  it('works for many requests at once and in its asyncio form', () => {
    expect(client.value<Told[]>('infer_binary_async').map((answer) => answer.outputs)).toEqual(served.alone);
    expect(client.value<Told>('infer_binary_asyncio').outputs).toEqual(served.alone[0]);
  });

  it('reads why a shape is refused', () => {
    const error = client.error('infer_binary_wrong_shape');
    expect(error.status).toBe('400');
    expect(error.message).toContain('image');
  });
});

describe("Triton's HTTP client refused", () => {
  it.each(['classification', 'input_in_shared_memory', 'output_in_shared_memory'])(
    'is told what is not served, rather than given something else: %s',
    (name) => {
      expect(['400', '501']).toContain(client.error(name).status);
    },
  );

  it.each([
    ['unknown_model', '404', 'no such model'],
    ['unknown_output', '400', 'nothing'],
    ['wrong_shape', '400', 'image'],
    ['no_key', '401', ''],
    ['no_key_for_metadata', '401', ''],
    ['wrong_key', '401', ''],
    ['infer_with_short_timeout', '504', ''],
  ])('raises its own exception with the status and the reason: %s', (name, status, word) => {
    const error = client.error(name);
    expect(error.type).toBe('InferenceServerException');
    expect(error.status).toBe(status);
    expect(error.message).not.toContain('exception occurred in the client');
    expect(error.message).toContain(word);
  });
});
