import { describe, expect, it } from 'vitest';
import { explanationOf } from '../../../../src/core/explanation.ts';
import { answered, ask, requestOf } from '../http-fakes.ts';

const ASKED = { path: '/v1/models/digits:explain', body: '{"instances":[[1,2,3,4]]}' };

describe('a V1 explain', () => {
  it.each(['{"instances":[[1,2,3,4]]}', '{"inputs":{"image":[[1,2,3,4]]}}', '{"instances":[{"image":[1,2,3,4]}]}'])(
    'is read as a prediction is, for another task: %s',
    async (body) => {
      const predict = await requestOf({ path: '/v1/models/digits:predict', body });
      expect(await requestOf({ ...ASKED, body })).toEqual({ ...(predict as object), task: 'explain' });
    },
  );

  it('is answered with the JSON of the server as it came', async () => {
    const json = '{ "predictions":[7],"explanations":{"é":[1e-9, {"deep":[[]]}]}}\n';
    const answer = await answered(ASKED, [explanationOf(Buffer.from(json))]);
    expect(answer).toMatchObject({ status: 200, type: 'application/json', text: json });
  });

  it('is packed where the caller wants that', async () => {
    const asked = { ...ASKED, fields: { 'accept-encoding': 'gzip' } };
    const answer = await answered(asked, [explanationOf(Buffer.from(`{"a":"${'x'.repeat(5_000)}"}`))]);
    expect(answer.headers).toEqual(['content-encoding', 'gzip', 'vary', 'accept-encoding']);
  });

  it('asks for models whose outputs JSON could not say, since it asks for none of them', async () => {
    const asked = { path: '/v1/models/halfout:explain', body: '{"instances":[1]}' };
    expect(await requestOf(asked)).toMatchObject({ task: 'explain', model: 'halfout' });
  });

  it.each([
    ['{', 400, 'MALFORMED'],
    ['{}', 400, 'MALFORMED'],
    ['{"instances":["x"]}', 400, 'MALFORMED'],
  ])('refuses a body that is none: %s', async (body, status, code) => {
    expect(await ask({ ...ASKED, body })).toMatchObject({ status, json: { code } });
  });

  it('waits for a model that is still warming', async () => {
    const asked = { path: '/v1/models/cold:explain', body: '{"instances":[1]}' };
    expect(await ask(asked)).toMatchObject({ status: 503, json: { code: 'NO_VARIANT' } });
  });
});
