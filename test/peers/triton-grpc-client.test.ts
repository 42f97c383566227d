import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClientCases, runClient } from './support/client-cases.ts';
import { type DigitsServed, serveDigits, type Told } from './support/digits-served.ts';

/** 2048 images are 6.4 MB: more than the four that gRPC takes unless told otherwise. */
const LARGE_ROWS = 2_048;
/** Two pings a second, sixty times as many as a server with grpc's own defaults bears. */
const PING_MS = 500;

let served: DigitsServed;
let client: ClientCases;
let stream: ClientCases;

beforeAll(async () => {
  served = await serveDigits();
  client = await runClient('triton_grpc.py', { ...served.given, largeRows: LARGE_ROWS, pingMs: PING_MS });
  stream = await runClient('triton_stream.py', served.given);
});

afterAll(async () => {
  await served?.stop();
});

function expectEach(answers: readonly Told[], prefix: string): void {
  expect(answers.map((answer) => answer.outputs)).toEqual(served.alone);
  expect(answers.map((answer) => answer.id)).toEqual(answers.map((_, i) => (prefix === '' ? '' : `${prefix}${i}`)));
}

describe("Triton's gRPC client asking about the server", () => {
  it('finds it live and ready', () => {
    expect(client.value('server_live')).toBe(true);
    expect(client.value('server_live_without_key')).toBe(true);
    expect(client.value('server_ready')).toBe(true);
  });

  it('reads its metadata', () => {
    expect(client.value('server_metadata')).toMatchObject({ name: 'sluice' });
  });

  it('finds a model ready, and is told that another is unknown', () => {
    expect(client.value('model_ready')).toBe(true);
    expect(client.error('model_ready_unknown')).toMatchObject({ status: 'StatusCode.NOT_FOUND' });
  });

  it('reads metadata, config, statistics and the repository index', () => {
    expect(client.value('model_metadata')).toMatchObject({
      name: 'digits',
      inputs: [{ name: 'image', shape: ['-1', '28', '28'] }],
    });
    expect(client.value('model_config')).toMatchObject({ config: { name: 'digits' } });
    expect(client.value('model_statistics')).toMatchObject({ model_stats: [{ name: 'digits', version: 'v1' }] });
    expect(client.value('repository_index')).toMatchObject({
      models: expect.arrayContaining([expect.objectContaining({ name: 'digits', state: 'READY' })]),
    });
  });

  it.each(['load_model', 'shared_memory_status', 'trace_settings', 'log_settings'])('is told that %s is not offered', (name) => {
    expect(client.error(name)).toMatchObject({ type: 'InferenceServerException', status: 'StatusCode.UNIMPLEMENTED' });
  });
});

describe("Triton's gRPC client predicting", () => {
  it("gets the model's own answers, bit for bit, with its ids", () => expectEach(client.value('infer'), 'r'));
  it('gets them for typed contents', () => expectEach(client.value('infer_typed'), ''));
  it('gets them for many requests at once', () => expectEach(client.value('infer_async'), 'a'));

  it('gets just the output it names', () => {
    expect(client.value<Told>('infer_one_output').outputs).toEqual({ label: served.alone[0]!['label'] });
  });

  it('sends text beyond ASCII', () => {
    expect(client.value<Told>('infer_text').outputs['probabilities']).toEqual(served.spam['probabilities']);
  });

  it('may add parameters, and works in its asyncio form', () => {
    expect(client.value<Told>('infer_with_parameters').outputs).toEqual(served.alone[0]);
    expect(client.value<Told>('infer_asyncio').outputs).toEqual(served.alone[0]);
  });

  it.each(['infer_many_rows', 'infer_gzip', 'infer_deflate'])('gets many rows in one answer: %s', async (name) => {
    expect(client.value<Told>(name).outputs).toEqual(await served.together(1));
  });

  it('sends a message larger than four megabytes', async () => {
    expect(client.value<Told>('infer_large').outputs).toEqual(await served.together(LARGE_ROWS / served.alone.length));
  });

  it('may ping its connection every half second', () => {
    expect(client.value('infer_with_frequent_pings')).toBe(true);
  });
});

describe("Triton's gRPC client refused", () => {
  it.each(['classification', 'input_in_shared_memory', 'output_in_shared_memory'])(
    'is told what is not served, rather than given something else: %s',
    (name) => {
      expect(['StatusCode.INVALID_ARGUMENT', 'StatusCode.UNIMPLEMENTED']).toContain(client.error(name).status);
    },
  );

  it.each([
    ['unknown_model', 'NOT_FOUND'],
    ['unknown_version', 'NOT_FOUND'],
    ['wrong_shape', 'INVALID_ARGUMENT'],
    ['no_key', 'UNAUTHENTICATED'],
    ['wrong_key', 'UNAUTHENTICATED'],
    ['timeout_parameter', 'DEADLINE_EXCEEDED'],
    ['client_deadline', 'DEADLINE_EXCEEDED'],
    ['cancel', 'CANCELLED'],
  ])('raises its own exception with the status: %s', (name, status) => {
    expect(client.error(name)).toMatchObject({ type: 'InferenceServerException', status: `StatusCode.${status}` });
  });
});

describe("Triton's gRPC client over a stream", () => {
  it("gets the model's own answers, bit for bit, with its ids", () => {
    const answers = stream.value<Told[]>('many_requests').toSorted((a, b) => String(a.id).localeCompare(String(b.id)));
    expectEach(answers, 's');
  });

  it('asks several models over one', () => {
    expect(stream.value('models_share_a_stream')).toEqual(['digits', 'spam']);
  });

  it('goes on after an error', () => {
    expect(stream.value('an_error_leaves_the_stream_open')).toMatchObject({
      bad: { error: expect.stringContaining('no such model') },
      good: { id: 'good', outputs: served.alone[0] },
    });
  });

  it('gets an error as a status where it asks for that', () => {
    expect(stream.value('an_error_as_status_ends_the_stream')).toMatchObject({ status: 'StatusCode.NOT_FOUND' });
  });

  it('is told which answer is the last of a request where it asks for that', () => {
    expect(stream.value('final_response_is_marked')).toMatchObject({ id: 'f', final: true });
  });

  it('needs a key', () => {
    expect(stream.value('no_key')).toMatchObject({ status: 'StatusCode.UNAUTHENTICATED' });
  });
});
