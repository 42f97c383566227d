import { describe, expect, it } from 'vitest';
import { Fault } from '../../../../src/core/faults.ts';
import { ask, headOf, MAX_JSON_BYTES, rest } from './rest-fakes.ts';

const protocol = rest();
const match = (method: string, path: string, fields: Readonly<Record<string, string>> = {}) =>
  protocol.match(headOf({ method, path, fields }));

describe('RestProtocol', () => {
  it.each([
    ['GET', '/v2', 'rest-server-metadata', '', ''],
    ['GET', '/v2/health/live', 'rest-server-live', '', ''],
    ['GET', '/v2/health/ready', 'rest-server-ready', '', ''],
    ['GET', '/v2/models', 'rest-models', '', ''],
    ['GET', '/v2/models/digits', 'rest-model-metadata', 'digits', ''],
    ['GET', '/v2/models/digits/versions/v1.0', 'rest-model-metadata', 'digits', 'v1.0'],
    ['GET', '/v2/models/digits/ready', 'rest-model-ready', 'digits', ''],
    ['GET', '/v2/models/digits/versions/7/ready', 'rest-model-ready', 'digits', '7'],
    ['POST', '/v2/models/digits/infer', 'rest-infer', 'digits', ''],
    ['POST', '/v2/models/digits/versions/7/infer', 'rest-infer', 'digits', '7'],
    ['GET', '/v2/models/versions', 'rest-model-metadata', 'versions', ''],
  ])('matches %s %s', (method, path, name, model, version) => {
    const found = match(method, path);
    expect(found.fault).toBeNull();
    expect(found.codec.name).toBe(name);
    expect([found.model, found.version]).toEqual([model, version]);
  });

  it('lets health be asked without a credential and nothing else', () => {
    expect(match('GET', '/v2/health/live').open).toBe(true);
    expect(match('GET', '/v2/health/ready').open).toBe(true);
    for (const path of ['/v2', '/v2/models', '/v2/models/digits', '/v2/models/digits/ready', '/nothing']) {
      expect(match('GET', path).open).toBe(false);
    }
    expect(match('DELETE', '/v2/health/live').open).toBe(false);
  });

  it.each([
    '/',
    '',
    '/v2/',
    '/v1',
    '/v2/health',
    '/v2/health/live/',
    '/v2/models/',
    '/v2/models//infer',
    '/v2/models/digits/',
    '/v2/models/digits/nothing',
    '/v2/models/digits/infer/',
    '/v2/models/digits/versions',
    '/v2/models/digits/versions/',
    '/v2/models/digits/versions//infer',
    '/v2/models/digits/versions/1/versions/2',
    '/v2/models/digits/versions/-1/infer',
    '/v2/models/di%67its/infer',
    '/v2/models/.hidden',
    '/v2/models/../secret',
    '/v2/models/digits\u0000/infer',
    `/v2/models/${'a'.repeat(65)}`,
    '/V2/models',
    '/v2/models/digits/Infer',
    '/v2/models/digits/infer?x',
  ])('finds nothing at %j', (path) => {
    for (const method of ['GET', 'POST']) {
      expect(match(method, path).fault).toBe(Fault.NotFound);
      expect(ask({ method, path })).toEqual({
        status: 404,
        headers: [],
        json: { error: 'There is no such model, version or path. There is nothing at this path.', code: 'NOT_FOUND' },
      });
    }
  });

  it.each([
    ['POST', '/v2', 'GET'],
    ['HEAD', '/v2/health/live', 'GET'],
    ['POST', '/v2/models/digits', 'GET'],
    ['PUT', '/v2/models/digits/ready', 'GET'],
    ['GET', '/v2/models/digits/infer', 'POST'],
    ['OPTIONS', '/v2/models/digits/versions/1/infer', 'POST'],
  ])('answers %s %s with the method that it takes', (method, path, allow) => {
    expect(match(method, path).fault).toBe(Fault.MethodNotAllowed);
    expect(ask({ method, path })).toEqual({
      status: 405,
      headers: ['allow', allow],
      json: { error: `The path does not answer to this method. Use ${allow}.`, code: 'METHOD_NOT_ALLOWED' },
    });
  });

  it('tells a stranger nothing of what a path answers to', () => {
    const found = match('GET', '/v2/models/digits/infer');
    expect(found.open).toBe(false);
    const reply = { status: 0, headers: [] as string[], pieces: [] as Uint8Array[], contentType: '' };
    const ctx = { match: found, fault: Fault.KeyMissing, faultDetail: '', reply } as never;
    found.codec.encodeFault(ctx);
    expect(reply.headers).toEqual(['www-authenticate', 'Bearer']);
    expect(JSON.parse(Buffer.concat(reply.pieces).toString())).toEqual({ error: 'No credential was sent.', code: 'KEY_MISSING' });
  });

  it.each(['', 'application/json', 'application/json; charset=utf-8', 'APPLICATION/JSON;x', ' application/json ;'])(
    'takes the content type %j',
    (type) => {
      expect(match('POST', '/v2/models/digits/infer', { 'content-type': type }).fault).toBeNull();
      expect(match('POST', '/v2/models/digits/infer', { 'content-type': type, 'content-encoding': 'Identity' }).fault).toBeNull();
    },
  );

  it.each([
    [{ 'content-type': 'text/plain' }, 'Send application/json, or application/octet-stream with Inference-Header-Content-Length'],
    [{ 'content-type': 'application/jsonl' }, 'Send application/json'],
    [{ 'content-type': 'x-application/json' }, 'Send application/json'],
    [{ 'content-encoding': 'identity, gzip' }, 'the Content-Encoding may be gzip or deflate'],
    [{ 'content-type': 'application/json', 'content-encoding': 'br' }, 'the Content-Encoding may be gzip or deflate'],
    [{ 'content-type': 'application/vnd.sagemaker-triton.binary+json' }, 'The content type lacks json-header-size=<bytes>'],
    [{ 'content-type': 'application/vnd.sagemaker-triton.binary+json;x=1' }, 'The content type lacks json-header-size=<bytes>'],
  ])('refuses the body announced by %j before it is read', (fields, hint) => {
    expect(ask({ method: 'POST', path: '/v2/models/digits/infer', fields: fields as unknown as Record<string, string> })).toEqual(
      {
        status: 415,
        headers: [],
        json: { error: expect.stringContaining(hint), code: 'MEDIA_TYPE' },
      },
    );
  });

  it.each([
    { 'content-type': 'application/octet-stream', 'inference-header-content-length': '10' },
    { 'content-type': 'APPLICATION/Octet-Stream; x=1', 'inference-header-content-length': '0' },
    { 'content-type': 'application/json', 'inference-header-content-length': '10' },
    { 'inference-header-content-length': '20' },
    { 'content-type': 'application/vnd.sagemaker-triton.binary+json;json-header-size=10' },
    { 'content-type': 'Application/vnd.SageMaker-Triton.binary+json; JSON-Header-Size = 10 ' },
    {
      'content-type': 'application/vnd.sagemaker-triton.binary+json;json-header-size=10',
      'inference-header-content-length': '10',
    },
    { 'content-encoding': 'gzip' },
    { 'content-encoding': ' X-Gzip', 'inference-header-content-length': '1000' },
    { 'content-encoding': 'Deflate', 'content-type': 'application/json' },
  ])('takes the binary or packed body announced by %j', (fields) => {
    const given = fields as unknown as Record<string, string>;
    const found = protocol.match(headOf({ method: 'POST', path: '/v2/models/digits/infer', fields: given, contentLength: 20 }));
    expect(found.fault).toBeNull();
  });

  it.each([
    { 'inference-header-content-length': '-1' },
    { 'inference-header-content-length': '+1' },
    { 'inference-header-content-length': '1.0' },
    { 'inference-header-content-length': '0x10' },
    { 'inference-header-content-length': ' ' },
    { 'inference-header-content-length': '10, 10' },
    { 'inference-header-content-length': '9999999999' },
    { 'inference-header-content-length': '21' },
    { 'content-type': 'application/vnd.sagemaker-triton.binary+json;json-header-size=ten' },
    {
      'content-type': 'application/vnd.sagemaker-triton.binary+json;json-header-size=10',
      'inference-header-content-length': '11',
    },
  ])('refuses the length of the JSON in %j before the body is read', (fields) => {
    const given = fields as unknown as Record<string, string>;
    const answer = ask({ method: 'POST', path: '/v2/models/digits/infer', fields: given, contentLength: 20 });
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ code: 'MALFORMED', error: expect.stringContaining('must be a whole number of bytes') });
  });

  it('refuses JSON that is too long before it is read, and says how to send large tensors', () => {
    const path = '/v2/models/digits/infer';
    const over = MAX_JSON_BYTES + 1;
    const inHead = { 'inference-header-content-length': String(over) };
    for (const asked of [{ contentLength: over }, { contentLength: over, fields: inHead }]) {
      const answer = ask({ method: 'POST', path, ...asked });
      expect(answer.status).toBe(413);
      expect(answer.json).toMatchObject({
        code: 'BODY_TOO_LARGE',
        error: expect.stringContaining('send large tensors as binary data (parameters.binary_data_size'),
      });
    }
    const small = { 'inference-header-content-length': '100' };
    expect(protocol.match(headOf({ method: 'POST', path, contentLength: over, fields: small })).fault).toBeNull();
    expect(protocol.match(headOf({ method: 'POST', path, contentLength: MAX_JSON_BYTES })).fault).toBeNull();
  });

  it('takes no body where nothing is read of one', () => {
    const answer = ask({ path: '/v2/health/live', contentLength: 10 });
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ code: 'MALFORMED', error: expect.stringContaining('This path takes no body.') });
  });
});

describe('questions', () => {
  it('says what the server is', () => {
    expect(ask({ path: '/v2' })).toEqual({
      status: 200,
      headers: [],
      json: { name: 'sluice', version: '1.2.3', extensions: expect.arrayContaining(['binary_tensor_data']) },
    });
  });

  it('says that it lives, and whether it is ready', () => {
    expect(ask({ path: '/v2/health/live' }, rest(false))).toMatchObject({ status: 200, json: { live: true } });
    expect(ask({ path: '/v2/health/ready' })).toMatchObject({ status: 200, json: { ready: true } });
    expect(ask({ path: '/v2/health/ready' }, rest(false))).toMatchObject({ status: 503, json: { ready: false } });
  });

  it('lists the models that the caller may use', () => {
    expect(ask({ path: '/v2/models' }).json).toEqual({ models: ['cold', 'digits'] });
    expect(ask({ path: '/v2/models', models: ['digits'] }).json).toEqual({ models: ['digits'] });
    expect(ask({ path: '/v2/models', models: [] }).json).toEqual({ models: [] });
  });

  it('shows what a model takes and gives', () => {
    const metadata = {
      name: 'digits',
      versions: ['v1', 'v2'],
      platform: 'onnx_onnxv1',
      inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 4] }],
      outputs: [{ name: 'scores', datatype: 'FP32', shape: [-1, 2] }],
    };
    expect(ask({ path: '/v2/models/digits' })).toEqual({ status: 200, headers: [], json: metadata });
    expect(ask({ path: '/v2/models/digits/versions/next' }).json).toEqual({ ...metadata, versions: ['v2'] });
  });

  it('says of a model without a signature that none of its variants can answer', () => {
    expect(ask({ path: '/v2/models/cold' })).toMatchObject({ status: 503, json: { code: 'NO_VARIANT' } });
  });

  it('says whether a model is ready', () => {
    expect(ask({ path: '/v2/models/digits/ready' })).toMatchObject({ status: 200, json: { name: 'digits', ready: true } });
    expect(ask({ path: '/v2/models/digits/versions/prod/ready' }).status).toBe(200);
    expect(ask({ path: '/v2/models/digits/versions/v2/ready' })).toMatchObject({
      status: 503,
      json: { name: 'digits', ready: false },
    });
    expect(ask({ path: '/v2/models/cold/ready' })).toMatchObject({ status: 503, json: { name: 'cold', ready: false } });
  });

  it('answers alike for a model that is forbidden and one that does not exist', () => {
    for (const tail of ['', '/ready', '/versions/v1', '/versions/v1/ready']) {
      const forbidden = ask({ path: `/v2/models/digits${tail}`, models: ['cold'] });
      expect(forbidden).toEqual(ask({ path: `/v2/models/nothing${tail}` }));
      expect(forbidden).toEqual({
        status: 404,
        headers: [],
        json: { error: 'There is no such model, version or path.', code: 'NOT_FOUND' },
      });
    }
    expect(ask({ path: '/v2/models/digits/versions/v9' }).status).toBe(404);
  });
});
