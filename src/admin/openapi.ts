import { problemAnswer } from '../config/admin-answers.ts';
import { type JsonSchema, jsonSchemaOf } from '../config/json-schema.ts';
import type { AdminRoute, DescribedAnswer } from './admin-route.ts';
import { rolesWith } from './roles.ts';

/** The admin API as an OpenAPI 3.1 document, made from the routes themselves. */

const PROBLEM = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };

const REQUEST_ID = { $ref: '#/components/parameters/RequestId' };
const IDEMPOTENCY_KEY = { $ref: '#/components/parameters/IdempotencyKey' };

export function describeApi(routes: readonly AdminRoute[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = `/${route.path}`;
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sluice admin API',
      version: '1',
      description: 'Fields may be added to answers; none is taken away or changes its meaning within a version.',
    },
    servers: [{ url: '/admin/v1' }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'A token of listen.admin.token or listen.admin.tokens.' },
      },
      parameters: {
        RequestId: {
          name: 'x-request-id',
          in: 'header',
          required: false,
          description: 'Stands in the audit record, and comes back; one is made where it is missing.',
          schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,128}$' },
        },
        IdempotencyKey: {
          name: 'Idempotency-Key',
          in: 'header',
          required: false,
          description: 'The same request under the same key within a day is done once, and answered as it was then.',
          schema: { type: 'string', pattern: '^[!-~]{1,255}$' },
        },
      },
      schemas: { Problem: jsonSchemaOf(problemAnswer, 'output') },
    },
  };
}

function operationOf(route: AdminRoute): object {
  const { operation, summary, needs, body, method } = route;
  const changes = method !== 'GET';
  const parameters = [...pathParameters(route), ...queryParameters(route), REQUEST_ID, ...(changes ? [IDEMPOTENCY_KEY] : [])];
  const requestBody = body === null ? {} : { requestBody: bodyOf(jsonSchemaOf(body, 'input')) };
  return {
    operationId: operation,
    summary,
    'x-sluice-needs': needs,
    'x-sluice-roles': rolesWith(needs),
    parameters,
    ...requestBody,
    responses: responsesOf(route),
  };
}

/** What can be left out as a whole need not be sent. */
const bodyOf = (schema: JsonSchema): object => ({
  required: ((schema['required'] ?? []) as readonly string[]).length > 0,
  content: { 'application/json': { schema } },
});

export const paramsIn = (path: string): readonly string[] => [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);

function pathParameters({ path }: AdminRoute): object[] {
  return paramsIn(path).map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
}

function queryParameters({ query }: AdminRoute): object[] {
  const named = Object.entries(query ?? {});
  return named.map(([name, description]) => ({ name, in: 'query', required: false, description, schema: { type: 'string' } }));
}

/** What any route may answer; a route's own description of a status goes before this one. */
function commonAnswers({ path, query, body, method }: AdminRoute): Record<number, string> {
  const changes = method !== 'GET';
  return {
    ...(body !== null || query !== undefined ? { 400: 'A body, parameter or header that cannot be taken.' } : {}),
    401: 'No token, or one that is unknown or has expired.',
    403: 'The role of the token may not do this.',
    ...(path.includes('{') ? { 404: 'What the path names is not there.' } : {}),
    ...(changes ? { 409: 'It cannot be done now, or the same idempotency key is under way.' } : {}),
    ...(body === null ? {} : { 413: 'The body is too large.' }),
    ...(changes ? { 422: 'The idempotency key was used for another request.' } : {}),
    429: 'Too many requests.',
    500: 'The gateway made a mistake.',
    ...(changes ? { 503: 'Nothing was changed, since it could not be recorded or kept.' } : {}),
  };
}

const DONE: Readonly<Record<number, DescribedAnswer>> = { 200: { means: 'Done.', schema: null } };

function responsesOf(route: AdminRoute): object {
  const responses: Record<string, object> = {};
  for (const [status, description] of Object.entries(commonAnswers(route))) {
    responses[status] = { description, content: PROBLEM };
  }
  for (const [status, { means, schema }] of Object.entries(route.answers ?? DONE)) {
    const shape = schema === null ? {} : jsonSchemaOf(schema, 'output');
    const isProblem = Number(status) >= 400;
    responses[status] = { description: means, content: isProblem ? PROBLEM : { 'application/json': { schema: shape } } };
  }
  return responses;
}
