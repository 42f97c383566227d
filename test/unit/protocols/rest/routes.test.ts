import { describe, expect, it } from 'vitest';
import { ask, DIGITS_V1 } from '../http-fakes.ts';

const error = (json: unknown): string => (json as { error: string }).error;

describe('the model configuration', () => {
  it('is derived from the signature, with the dimension of rows left out of the sizes', async () => {
    expect((await ask({ path: '/v2/models/digits/config' })).json).toEqual({
      name: 'digits',
      platform: 'onnxruntime_onnx',
      backend: 'onnxruntime',
      version_policy: { specific: { versions: ['v1', 'v2'] } },
      max_batch_size: 64,
      input: [{ name: 'image', data_type: 'TYPE_FP32', dims: [4], optional: false }],
      output: [{ name: 'scores', data_type: 'TYPE_FP32', dims: [2] }],
      model_transaction_policy: { decoupled: false },
    });
  });

  it('shows whole shapes where nothing counts rows, and text as a string', async () => {
    const scalar = await ask({ path: '/v2/models/scalar/config' });
    expect(scalar.json).toMatchObject({ max_batch_size: 0, input: [{ dims: [] }, { dims: [3] }], output: [{ dims: [] }] });
    const people = await ask({ path: '/v2/models/people/versions/canary/config' });
    expect(people.status).toBe(404);
    const named = await ask({ path: '/v2/models/people/versions/v2/config' });
    expect(named.json).toMatchObject({
      version_policy: { specific: { versions: ['v2'] } },
      input: [
        { data_type: 'TYPE_STRING', dims: [] },
        { data_type: 'TYPE_INT64', dims: [2] },
      ],
    });
  });

  it('waits for the signature', async () => {
    expect(await ask({ path: '/v2/models/cold/config' })).toMatchObject({ status: 503, json: { code: 'NO_VARIANT' } });
  });
});

describe('statistics', () => {
  it('have a row for each variant, in whole nanoseconds', async () => {
    const { statistics } = DIGITS_V1.state;
    statistics.answered(
      { rows: 3, inputTokens: 0, outputTokens: 0, inputBytes: 1, outputBytes: 1, computeUs: 100.25 },
      150.5,
      200,
      1_700_000_000_000,
    );
    statistics.recalled(5, 1_700_000_000_001);
    statistics.fail.add(7);
    const { json } = await ask({ path: '/v2/models/digits/versions/prod/stats' });
    const nothing = { count: 0, ns: 0 };
    expect(json).toEqual({
      model_stats: [
        {
          name: 'digits',
          version: 'v1',
          last_inference: 1_700_000_000_001,
          inference_count: 3,
          execution_count: 1,
          inference_stats: {
            success: { count: 2, ns: 205_000 },
            fail: { count: 1, ns: 7_000 },
            queue: { count: 1, ns: 50_250 },
            compute_input: nothing,
            compute_infer: { count: 1, ns: 100_250 },
            compute_output: nothing,
            cache_hit: { count: 1, ns: 5_000 },
            cache_miss: { count: 1, ns: 150_500 },
          },
          response_stats: {},
          batch_stats: [],
          memory_usage: [],
        },
      ],
    });
  });

  const rows = async (path: string, models?: readonly string[]): Promise<string[]> => {
    const { json } = await ask({ path, ...(models === undefined ? {} : { models }) });
    return (json as { model_stats: { name: string; version: string }[] }).model_stats.map((row) => `${row.name}/${row.version}`);
  };

  it('cover the models that the caller may use and no other', async () => {
    expect(await rows('/v2/models/stats', ['digits', 'cold'])).toEqual(['cold/v1', 'digits/v1', 'digits/v2']);
    expect(await rows('/v2/models/stats', [])).toEqual([]);
    expect(await rows('/v2/models/digits/stats')).toEqual(['digits/v1', 'digits/v2']);
  });
});

describe('the repository index', () => {
  const index = (body: string, models: readonly string[] = ['digits', 'people']) =>
    ask({ method: 'POST', path: '/v2/repository/index', body, models });
  const all = [
    { name: 'digits', version: 'v1', state: 'READY', reason: '' },
    { name: 'digits', version: 'v2', state: 'UNAVAILABLE', reason: 'mismatched' },
    { name: 'people', version: 'v1', state: 'READY', reason: '' },
    { name: 'people', version: 'v2', state: 'READY', reason: '' },
    { name: 'people', version: 'v3', state: 'UNAVAILABLE', reason: 'unloaded' },
  ];

  it.each(['', '{}', '{"ready":false}', ' { "other" : [1] } '])('is a bare array of all variants for %j', async (body) => {
    expect(await index(body)).toMatchObject({ status: 200, json: all });
  });

  it('shows what is ready alone, and forgets that for the next caller', async () => {
    expect((await index('{"ready":true}')).json).toEqual(all.filter((row) => row.state === 'READY'));
    expect((await index('{}')).json).toEqual(all);
  });

  it('shows a caller nothing of what he may not use, and no reason in full', async () => {
    expect((await index('', [])).json).toEqual([]);
    expect((await index('')).text).not.toContain('secret');
  });

  it.each(['[]', '{"ready":1}', '{"ready":true', '{"ready":true,"ready":false}', '{} x'])('refuses %j', async (body) => {
    expect(await index(body)).toMatchObject({ status: 400, json: { code: 'MALFORMED' } });
  });
});

describe('load and unload on the data port', () => {
  const change = (body: string, model = 'digits', verb = 'load') =>
    ask({ method: 'POST', path: `/v2/repository/models/${model}/${verb}`, body });

  it('are forbidden for every model, known or not, and say where they are answered', async () => {
    const known = await change('');
    expect(known).toMatchObject({ status: 403, json: { code: 'FORBIDDEN' } });
    expect(error(known.json)).toContain('/admin/v1/models/');
    for (const body of ['', '{}', '{"parameters":{"unload_dependents":true}}']) {
      expect(await change(body, 'nothing', 'unload')).toEqual(known);
    }
  });

  it.each([
    '{"parameters":{"config":"{}"}}',
    '{"parameters":{"con\\u0066ig":"{}"}}',
    '{"parameters":{"file:1/model.onnx":"AAAA"}}',
    '{"parameters":{"x":1,"\\u0066ile:1/model.onnx":"AAAA"}}',
  ])('are refused as uploads: %s', async (body) => {
    const answer = await change(body);
    expect(answer).toMatchObject({ status: 400, json: { code: 'MALFORMED' } });
    expect(error(answer.json)).toContain('never taken from a request');
  });

  it.each(['[]', '{"parameters":1}', '{"parameters":{}', '{"parameters":{"a":1,"a":2}}'])('refuse the body %s', async (body) => {
    expect((await change(body)).status).toBe(400);
  });

  it('read no body that is longer than such a request can be', async () => {
    const path = '/v2/repository/models/digits/load';
    expect(await ask({ method: 'POST', path, contentLength: 65_537 })).toMatchObject({
      status: 413,
      json: { code: 'BODY_TOO_LARGE' },
    });
  });
});

describe('what the protocol knows and this gateway does not offer', () => {
  it.each([
    ['GET', '/v2/logging'],
    ['POST', '/v2/logging'],
    ['GET', '/v2/trace/setting'],
    ['POST', '/v2/models/digits/trace/setting'],
    ['GET', '/v2/systemsharedmemory/status'],
    ['GET', '/v2/systemsharedmemory/region/r1/status'],
    ['POST', '/v2/systemsharedmemory/region/r1/register'],
    ['POST', '/v2/systemsharedmemory/unregister'],
    ['GET', '/v2/cudasharedmemory/status'],
    ['POST', '/v2/cudasharedmemory/region/r1/register'],
    ['POST', '/v2/cudasharedmemory/region/r1/unregister'],
    ['POST', '/v2/models/digits/infer_stream'],
  ])('is 501 at %s %s, with what to do instead', async (method, path) => {
    const answer = await ask({ method, path });
    expect(answer).toMatchObject({ status: 501, json: { code: 'NOT_SUPPORTED' } });
    expect(error(answer.json).length).toBeGreaterThan('This is not supported here. '.length);
  });
});

describe('another method', () => {
  it.each([
    ['POST', '/v2/models/digits/config', 'GET'],
    ['POST', '/v2/models/stats', 'GET'],
    ['DELETE', '/v2/models/digits/stats', 'GET'],
    ['GET', '/v2/repository/index', 'POST'],
    ['GET', '/v2/repository/models/digits/load', 'POST'],
    ['GET', '/v2/models/digits/generate', 'POST'],
    ['GET', '/v2/models/digits/generate_stream', 'POST'],
    ['DELETE', '/v2/logging', 'GET, POST'],
    ['POST', '/v2/systemsharedmemory/status', 'GET'],
    ['GET', '/v2/cudasharedmemory/unregister', 'POST'],
  ])('is 405 for %s %s', async (method, path, allow) => {
    expect(await ask({ method, path })).toMatchObject({ status: 405, headers: ['allow', allow] });
  });
});

describe('another path', () => {
  it.each([
    '/v2/repository',
    '/v2/repository/models/digits',
    '/v2/repository/models//load',
    '/v2/repository/models/a/b/load',
    '/v2/systemsharedmemory',
    '/v2/systemsharedmemory/region/a/b/status',
    '/v2/othersharedmemory/status',
    '/v2/models/digits/config/',
    '/v2/models/digits/versions/v1/unload',
    '/v2/models/stats/nothing',
  ])('is 404: %s', async (path) => {
    for (const method of ['GET', 'POST']) expect((await ask({ method, path })).status).toBe(404);
  });
});

describe('a model that is forbidden and one that does not exist', () => {
  it.each(['/config', '/stats', '/versions/v1/config', '/versions/stable/stats'])('answer alike at %s', async (tail) => {
    const forbidden = await ask({ path: `/v2/models/digits${tail}`, models: ['cold'] });
    expect(forbidden).toEqual(await ask({ path: `/v2/models/nothing${tail}` }));
    expect(forbidden.json).toEqual({ error: 'There is no such model, version or path.', code: 'NOT_FOUND' });
  });
});

describe('stable and canary as versions', () => {
  const versions = async (version: string, model = 'digits'): Promise<unknown> => {
    const answer = await ask({ path: `/v2/models/${model}/versions/${version}` });
    return answer.status === 200 ? (answer.json as { versions: string[] }).versions : answer.status;
  };

  it('name the variants with these roles', async () => {
    expect(await versions('stable')).toEqual(['v1']);
    expect(await versions('canary')).toEqual(['v2']);
    expect(await ask({ path: '/v2/models/digits/versions/canary/ready' })).toMatchObject({ status: 503 });
    expect(await ask({ path: '/v2/models/digits/versions/stable/ready' })).toMatchObject({ status: 200 });
  });

  it('name no canary where there is none, or several', async () => {
    expect(await versions('canary', 'scalar')).toBe(404);
    expect(await versions('canary', 'people')).toBe(404);
  });
});
