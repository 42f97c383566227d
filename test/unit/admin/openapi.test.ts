import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_ROUTES } from '../../../src/admin/admin-routes.ts';
import { describeApi, paramsIn } from '../../../src/admin/openapi.ts';
import { ROLES } from '../../../src/admin/roles.ts';
import { AdminUnderTest, UntouchedPlane } from '../../support/admin-under-test.ts';
import { type Document, operationsOf, resolve } from '../../support/openapi.ts';

const untouched = new UntouchedPlane();
const admin = new AdminUnderTest(untouched.plane);
const owner = admin.hold('olga', 'owner');
const document = JSON.parse(JSON.stringify(describeApi(ADMIN_ROUTES))) as Document;
const operations = operationsOf(document);
const filled = (path: string): string => path.replace(/\{\w+\}/g, 'x');

beforeAll(() => admin.listen());
afterAll(() => admin.close());

describe('the description of the admin API', () => {
  it('is served as it was made from the routes', async () => {
    const answer = await admin.ask('GET', 'openapi.json', owner);
    expect([answer.status, await answer.json()]).toEqual([200, document]);
  });

  it('has each route of the table and no other, by method, path and name', () => {
    const described = operations.map(({ method, path, operation }) => `${method} ${path} ${operation.operationId}`);
    expect(described.sort()).toEqual(ADMIN_ROUTES.map((route) => `${route.method} ${route.path} ${route.operation}`).sort());
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(ADMIN_ROUTES.length);
  });

  it.each(operations.map((each) => [`${each.method} ${each.path}`, each] as const))(
    'is true of the server: %s',
    async (_, each) => {
      const answer = await admin.ask(each.method, filled(each.path), owner);
      const text = await answer.text();
      expect([404, 405], text).not.toContain(answer.status);
      expect(Object.keys(each.operation.responses)).toContain(String(answer.status));
      // Its other methods are none of the server's.
      const verbs = Object.keys(document.paths[`/${each.path}`]!).map((verb) => verb.toUpperCase());
      for (const verb of ['GET', 'PUT', 'POST', 'DELETE', 'PATCH'].filter((one) => !verbs.includes(one))) {
        expect((await admin.ask(verb, filled(each.path), owner)).status, verb).toBe(405);
      }
    },
  );

  it('is an OpenAPI 3.1 document whose references lead somewhere', () => {
    expect([document.openapi, document.info]).toMatchObject(['3.1.0', { title: 'Sluice admin API', version: '1' }]);
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1]!);
    expect(refs.length).toBeGreaterThan(10);
    for (const ref of new Set(refs)) expect(resolve(document, ref)).toBeTypeOf('object');
    for (const { method, path, operation } of operations) {
      const inPath = operation.parameters.filter((one) => 'in' in one && one.in === 'path') as { readonly name: string }[];
      expect(inPath.map(({ name }) => name)).toEqual(paramsIn(path));
      expect(operation.summary).toMatch(/\.$/);
      for (const [status, { description, content }] of Object.entries(operation.responses)) {
        expect(status).toMatch(/^[2-5]\d\d$/);
        expect(description.length).toBeGreaterThan(0);
        const media = Number(status) < 400 ? 'application/json' : 'application/problem+json';
        expect(Object.keys(content), `${operation.operationId} ${status}`).toEqual([media]);
      }
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['401', '403', '429', '500']));
      if (method !== 'GET') expect(operation.responses['503']).toBeDefined();
    }
  });

  it('says which need and which roles each operation takes, as the table of roles has it', () => {
    for (const { operation } of operations) {
      const roles = Object.entries(ROLES).filter(([, needs]) =>
        (needs as readonly string[]).includes(operation['x-sluice-needs']),
      );
      expect(operation['x-sluice-roles']).toEqual(roles.map(([role]) => role));
    }
  });
});

describe('each operation for each role', () => {
  const roles = [...Object.keys(ROLES), 'janitor', '__proto__', 'toString', ''];
  const tokens = new Map(roles.map((role, i) => [role, admin.hold(`holder${i}`, role)]));

  it.each(operations.map((each) => [each.operation.operationId, each] as const))('%s', async (_, each) => {
    const { method, path, operation } = each;
    for (const role of roles) {
      const before = untouched.reached;
      const answer = await admin.ask(method, filled(path), tokens.get(role)!);
      const text = await answer.text();
      if (operation['x-sluice-roles'].includes(role)) {
        expect([401, 403], `${role}: ${text}`).not.toContain(answer.status);
        continue;
      }
      expect(answer.status, role).toBe(403);
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
      expect(JSON.parse(text)).toMatchObject({ status: 403, role, needs: operation['x-sluice-needs'] });
      expect(untouched.reached).toBe(before);
    }
    for (const token of ['', 'token-of-nobody']) {
      const before = untouched.reached;
      const answer = await admin.ask(method, filled(path), token);
      expect([answer.status, untouched.reached]).toEqual([401, before]);
    }
  });
});
