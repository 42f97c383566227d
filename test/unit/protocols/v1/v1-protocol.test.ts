import { describe, expect, it } from 'vitest';
import { Verdict } from '../../../../src/core/verdict.ts';
import { HttpProtocol } from '../../../../src/protocols/http-protocol.ts';
import { IN_PLACE } from '../../../support/offloads.ts';
import { ask, headOf, MAX_JSON_BYTES, requestOf } from '../http-fakes.ts';

const protocol = new HttpProtocol({
  maxJsonDepth: 16,
  maxTensors: 8,
  maxJsonBytes: MAX_JSON_BYTES,
  inflate: { maxBodyBytes: 1, maxInflateRatio: 1, holdBytes: () => Verdict.Next },
  offload: IN_PLACE,
  serverName: 'sluice',
  serverVersion: '1.2.3',
  isReady: () => true,
});
const match = (method: string, path: string) => protocol.match(headOf({ method, path }));

describe('V1Protocol', () => {
  it.each([
    ['GET', '/v1/models', 'rest-models', '', ''],
    ['GET', '/v1/models/digits', 'v1-model-status', 'digits', ''],
    ['GET', '/v1/models/digits/versions/7', 'v1-model-status', 'digits', '7'],
    ['GET', '/v1/models/digits/labels/canary', 'v1-model-status', 'digits', 'canary'],
    ['GET', '/v1/models/digits/metadata', 'v1-model-metadata', 'digits', ''],
    ['GET', '/v1/models/digits/versions/7/metadata', 'v1-model-metadata', 'digits', '7'],
    ['GET', '/v1/models/metadata', 'v1-model-status', 'metadata', ''],
    ['POST', '/v1/models/digits:predict', 'v1-predict', 'digits', ''],
    ['POST', '/v1/models/digits/versions/v1.0:predict', 'v1-predict', 'digits', 'v1.0'],
    ['POST', '/v1/models/digits/labels/stable:predict', 'v1-predict', 'digits', 'stable'],
    ['POST', '/v1/models/versions:predict', 'v1-predict', 'versions', ''],
    ['POST', '/v1/models/digits:explain', 'v1-explain', 'digits', ''],
    ['POST', '/v1/models/digits/labels/stable:explain', 'v1-explain', 'digits', 'stable'],
    ['GET', '/v2/models/digits', 'rest-model-metadata', 'digits', ''],
  ])('matches %s %s', (method, path, name, model, version) => {
    const found = match(method, path);
    expect(found.fault).toBeNull();
    expect(found.open).toBe(false);
    expect([found.codec.name, found.model, found.version]).toEqual([name, model, version]);
  });

  it.each([
    '/v1',
    '/v1/',
    '/v1/models/',
    '/v1/models/:predict',
    '/v1/models/digits:',
    '/v1/models/digits:Predict',
    '/v1/models/digits:predict/',
    '/v1/models/digits:predict:predict',
    '/v1/models/digits/:predict',
    '/v1/models/digits/versions',
    '/v1/models/digits/versions/',
    '/v1/models/digits/versions/:predict',
    '/v1/models/digits/labels/a/versions/b:predict',
    '/v1/models/digits/metadata:predict',
    '/v1/models/../x:predict',
    '/v1/models/.x:predict',
    '/v1/models/di%67its:predict',
    '/v1/other',
    '/v10/models',
  ])('finds nothing at %j', async (path) => {
    for (const method of ['GET', 'POST']) {
      expect(await ask({ method, path })).toMatchObject({ status: 404, headers: [], json: { code: 'NOT_FOUND' } });
    }
  });

  it.each([
    ['POST', '/v1/models', 'GET'],
    ['POST', '/v1/models/digits', 'GET'],
    ['PUT', '/v1/models/digits/metadata', 'GET'],
    ['GET', '/v1/models/digits:predict', 'POST'],
    ['GET', '/v1/models/digits:explain', 'POST'],
  ])('is 405 for %s %s', async (method, path, allow) => {
    expect(await ask({ method, path })).toMatchObject({ status: 405, headers: ['allow', allow] });
  });

  it.each(['classify', 'regress'])('is 501 for :%s', async (verb) => {
    const answer = await ask({ method: 'POST', path: `/v1/models/digits:${verb}` });
    expect(answer).toMatchObject({ status: 501, json: { code: 'NOT_SUPPORTED' } });
  });

  it.each(['application/json', '', 'application/x-www-form-urlencoded', 'text/plain'])(
    'takes a body for JSON whatever its content type says: %j',
    async (type) => {
      const asked = { path: '/v1/models/digits:predict', body: '{"instances":[[1,2,3,4]]}', fields: { 'content-type': type } };
      expect(await requestOf(asked)).toMatchObject({ model: 'digits', inputs: [{ shape: [1, 4] }] });
    },
  );

  it('refuses an unknown packing and a body that is too long before it is read', async () => {
    const path = '/v1/models/digits:predict';
    const packed = await ask({ method: 'POST', path, fields: { 'content-encoding': 'br' } });
    expect(packed).toMatchObject({ status: 415, json: { code: 'MEDIA_TYPE' } });
    const long = await ask({ method: 'POST', path, contentLength: MAX_JSON_BYTES + 1 });
    expect(long).toMatchObject({ status: 413, json: { code: 'BODY_TOO_LARGE' } });
  });
});

describe('questions of V1 clients', () => {
  it('list the models that the caller may use', async () => {
    expect((await ask({ path: '/v1/models', models: ['digits', 'cold'] })).json).toEqual({ models: ['cold', 'digits'] });
  });

  const OK = { error_code: 'OK', error_message: '' };

  it('say for both kinds of clients whether a model is ready', async () => {
    expect(await ask({ path: '/v1/models/digits' })).toMatchObject({
      status: 200,
      json: {
        name: 'digits',
        ready: true,
        model_version_status: [
          { version: 'v1', state: 'AVAILABLE', status: OK },
          { version: 'v2', state: 'LOADING', status: { error_code: 'FAILED_PRECONDITION', error_message: 'mismatched' } },
        ],
      },
    });
    expect((await ask({ path: '/v1/models/digits/labels/stable' })).json).toEqual({
      name: 'digits',
      ready: true,
      model_version_status: [{ version: 'v1', state: 'AVAILABLE', status: OK }],
    });
    expect(await ask({ path: '/v1/models/cold' })).toMatchObject({
      status: 503,
      json: { ready: false, model_version_status: [{ state: 'LOADING' }] },
    });
    expect((await ask({ path: '/v1/models/people/versions/v3' })).json).toMatchObject({
      ready: false,
      model_version_status: [{ state: 'END' }],
    });
  });

  it('show the signature under its one name', async () => {
    const dim = (size: string) => ({ size, name: '' });
    const shape = (...sizes: string[]) => ({ dim: sizes.map(dim), unknown_rank: false });
    expect((await ask({ path: '/v1/models/digits/metadata' })).json).toEqual({
      model_spec: { name: 'digits', signature_name: '', version: 'v1' },
      metadata: {
        signature_def: {
          signature_def: {
            serving_default: {
              inputs: { image: { dtype: 'DT_FLOAT', tensor_shape: shape('-1', '4'), name: 'image' } },
              outputs: { scores: { dtype: 'DT_FLOAT', tensor_shape: shape('-1', '2'), name: 'scores' } },
              method_name: 'tensorflow/serving/predict',
            },
          },
        },
      },
    });
    expect(await ask({ path: '/v1/models/cold/metadata' })).toMatchObject({ status: 503, json: { code: 'NO_VARIANT' } });
  });

  it('answer alike for a model that is forbidden and one that does not exist', async () => {
    for (const tail of ['', '/metadata', '/versions/v1', '/labels/stable', ':predict', '/versions/v1:predict', ':explain']) {
      const body = tail.includes(':') ? { body: '{"instances":[[1,2,3,4]]}' } : {};
      const forbidden = await ask({ path: `/v1/models/digits${tail}`, models: ['cold'], ...body });
      expect(forbidden).toEqual(await ask({ path: `/v1/models/nothing${tail}`, ...body }));
      expect(forbidden).toMatchObject({ status: 404, json: { error: 'There is no such model, version or path.' } });
    }
    expect((await ask({ path: '/v1/models/digits/versions/v9' })).status).toBe(404);
  });
});
