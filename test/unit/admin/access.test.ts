import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ControlPlane, Purge } from '../../../src/core/control-plane.ts';
import { AdminUnderTest } from '../../support/admin-under-test.ts';

const purges: Purge[] = [];
let gate: Promise<void> = Promise.resolve();
let refuses = false;

const fake: Pick<ControlPlane, 'purgeCache' | 'workers'> & { readonly access: Pick<ControlPlane['access'], 'issue'> } = {
  workers: () => [],
  purgeCache: async (purge) => {
    purges.push(purge);
    await gate;
    if (refuses) return { is: 'unaudited', problem: 'disk full' };
    return { is: 'applied', purged: purges.length, workers: { acknowledged: 1, total: 1 } };
  },
  access: {
    issue: ({ tenant, scopes, models, expires }) => {
      const view = { id: 'abcd0001', tenant, scopes, models, expires, state: 'active' as const, source: 'issued' as const };
      const workers = { acknowledged: 1, total: 1 };
      return Promise.resolve({ is: 'applied', key: 'sl_canary', view: { ...view, issuedBy: 'a', issuedAt: '' }, workers });
    },
  },
};
const admin = new AdminUnderTest(fake as unknown as ControlPlane);
const ann = admin.hold('ann', 'operator');
const bob = admin.hold('bob', 'owner');

beforeAll(() => admin.listen());
afterAll(() => admin.close());
beforeEach(() => {
  purges.length = 0;
  admin.callers.length = 0;
  gate = Promise.resolve();
  refuses = false;
});

const purge = (token: string, key: string, body: object = {}): Promise<Response> =>
  admin.ask('POST', 'cache/purge', token, { body, headers: key === '' ? {} : { 'idempotency-key': key } });

describe('a token of the admin port', () => {
  it('is known by its name in every record, with its role and the id of the request', async () => {
    const answer = await admin.ask('POST', 'cache/purge', ann, { headers: { 'x-request-id': 'r-7' } });
    expect(answer.headers.get('x-request-id')).toBe('r-7');
    expect([purges[0]!.actor, admin.callers]).toEqual(['ann', [{ actor: 'ann', role: 'operator', requestId: 'r-7' }]]);
    const other = await admin.ask('POST', 'cache/purge', ann, { headers: { 'x-request-id': 'no good id' } });
    expect(other.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('opens nothing when it has expired, and is then told nothing that a guess is not told', async () => {
    const late = admin.hold('late', 'owner', Date.now() - 1);
    const expired = await admin.ask('GET', 'workers', late);
    const guessed = await admin.ask('GET', 'workers', 'token-of-nobody');
    expect([expired.status, await expired.text()]).toEqual([401, await guessed.text()]);
    expect((await admin.ask('GET', 'workers', admin.hold('soon', 'viewer', Date.now() + 60_000))).status).toBe(200);
  });

  it('opens nothing from the moment that config no longer has it', async () => {
    const gone = admin.hold('gone', 'owner');
    expect((await admin.ask('GET', 'workers', gone)).status).toBe(200);
    admin.holders.splice(
      admin.holders.findIndex(({ name }) => name === 'gone'),
      1,
    );
    expect((await admin.ask('GET', 'workers', gone)).status).toBe(401);
  });

  it('is told what its role lacks', async () => {
    admin.denied.length = 0;
    const answer = await admin.ask('POST', 'restart', ann);
    const { detail } = (await answer.json()) as { detail: string };
    expect([answer.status, detail]).toEqual([403, expect.stringMatching(/"ann" has the role operator.*needs "owner".*owner\.$/)]);
    expect(admin.denied).toEqual([['role', { actor: 'ann', role: 'operator', operation: 'restart', needs: 'owner' }]]);
  });

  it('can be guessed at a bounded rate alone', async () => {
    const slow = new AdminUnderTest(fake as unknown as ControlPlane, { maxRequestsPerSecond: 3 });
    const token = slow.hold('olga', 'owner');
    await slow.listen();
    const guesses = await Promise.all(
      Array.from({ length: 10 }, async (_, i) => (await slow.ask('GET', 'workers', `guess${i}`)).status),
    );
    expect(guesses.filter((status) => status === 429).length).toBeGreaterThan(0);
    expect((await slow.ask('GET', 'workers', token)).status).toBe(200);
    await slow.close();
  });
});

describe('a request with an idempotency key', () => {
  it('is done once, and answered as it was', async () => {
    const first = await purge(ann, 'k1');
    const second = await purge(ann, 'k1');
    expect([await first.text(), first.headers.get('idempotency-replayed')]).toEqual([await second.text(), null]);
    expect([second.headers.get('idempotency-replayed'), purges.length]).toEqual(['true', 1]);
    await purge(ann, '');
    expect(purges.length).toBe(2);
  });

  it('is another one for another caller', async () => {
    await purge(ann, 'k2');
    await purge(bob, 'k2');
    expect(purges.map(({ actor }) => actor)).toEqual(['ann', 'bob']);
  });

  it('is refused with another body or at another path', async () => {
    await purge(ann, 'k3');
    expect((await purge(ann, 'k3', { model: 'm' })).status).toBe(422);
    const elsewhere = await admin.ask('POST', 'cache/purge?x=1', ann, { body: {}, headers: { 'idempotency-key': 'k3' } });
    expect([elsewhere.status, purges.length]).toEqual([422, 1]);
  });

  it('is refused while the first one is under way', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    const first = purge(ann, 'k4');
    await expect.poll(() => purges.length).toBe(1);
    expect((await purge(ann, 'k4')).status).toBe(409);
    resolve();
    expect((await first).status).toBe(200);
    expect((await purge(ann, 'k4')).status).toBe(200);
    expect(purges.length).toBe(1);
  });

  it('is done again when it was refused, since nothing was changed', async () => {
    refuses = true;
    expect((await purge(ann, 'k5')).status).toBe(503);
    refuses = false;
    expect((await purge(ann, 'k5')).status).toBe(200);
    expect(purges.length).toBe(2);
  });

  it('is refused with a key that is none', async () => {
    expect((await purge(ann, 'a b')).status).toBe(400);
    expect((await purge(ann, 'k'.repeat(256))).status).toBe(400);
  });

  it('does not keep a key of a caller: the repetition says that it was issued, and not what it is', async () => {
    const issue = (): Promise<Response> =>
      admin.ask('POST', 'tenants/acme/keys', bob, { body: {}, headers: { 'idempotency-key': 'k6' } });
    expect(await (await issue()).json()).toMatchObject({ key: 'sl_canary' });
    const again = await issue();
    const text = await again.text();
    expect([again.status, JSON.parse(text)]).toMatchObject([201, { id: 'abcd0001', key: null }]);
    expect(text).not.toContain('sl_canary');
  });
});
