import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../../src/config/load-config.ts';
import type { Config } from '../../../../src/config/schema.ts';
import type { BucketId } from '../../../../src/core/units.ts';
import type { LeaseAnswer } from '../../../../src/runtime/ipc/lease-messages.ts';
import { LeaseDesk } from '../../../../src/runtime/supervisor/lease-desk.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

/** Tenants with a burst of ten each, and next to nothing after it. */
const configOf = (...tenants: string[]): Config =>
  parseConfig(
    [
      'listen: { admin: { token: { generate: true } } }',
      'tenants:',
      ...tenants.map(
        (id) =>
          `  - { id: ${id}, rate: { requestsPerSecond: 1, burst: 10 }, keys: [{ id: ${id}0000001, secret: { generate: true } }] }`,
      ),
      "models: { m: { variants: [{ name: v1, role: stable, backend: { kind: grpc, endpoints: ['127.0.0.1:1'] } }] } }",
    ].join('\n'),
    'c.yaml',
  );

/** Tokens that a worker gets for `tokens` at once. */
async function granted(desk: LeaseDesk, tenant: number, tokens: number): Promise<number> {
  const answers: LeaseAnswer[] = [];
  const counter = desk.open((answer) => answers.push(answer));
  const ask = { bucket: tenant as BucketId, tokens, least: tokens, held: 0 };
  counter.hear({ is: 'lease-ask', id: 1, question: { is: 'tokens', ask } });
  await new Promise((done) => setImmediate(done));
  counter.close();
  const answer = answers[0]!;
  return answer.is === 'lease-grant' ? answer.grant.granted : -1;
}

describe('LeaseDesk', () => {
  it('stays the same for a config with the same tenants, and is another where the list has changed', () => {
    const desk = new LeaseDesk(configOf('a', 'b'), new FakeClock());
    expect(desk.under(configOf('a', 'b'))).toBe(desk);
    expect(desk.under(configOf('b', 'a'))).not.toBe(desk);
  });

  it('grants nobody a second burst because another tenant has come', async () => {
    const desk = new LeaseDesk(configOf('a', 'b'), new FakeClock());
    expect(await granted(desk, 0, 8)).toBe(8);
    const next = desk.under(configOf('n', 'b', 'a'));
    next.inherit(desk);
    expect(await granted(next, 2, 3)).toBe(0);
    expect(await granted(next, 2, 2)).toBe(2);
    expect(await granted(next, 1, 10)).toBe(10);
    expect(await granted(next, 0, 10)).toBe(10);
  });

  it('counts what is still lent at the former desk as used', async () => {
    const desk = new LeaseDesk(configOf('a'), new FakeClock());
    const counter = desk.open(() => undefined);
    counter.hear({
      is: 'lease-ask',
      id: 1,
      question: { is: 'tokens', ask: { bucket: 0 as BucketId, tokens: 0, least: 0, held: 0 } },
    });
    counter.hear({
      is: 'lease-ask',
      id: 2,
      question: { is: 'tokens', ask: { bucket: 0 as BucketId, tokens: 10, least: 10, held: 0 } },
    });
    const next = desk.under(configOf('a', 'b'));
    next.inherit(desk);
    expect(await granted(next, 0, 1)).toBe(0);
  });
});
