import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rollouts, type WebhookConfig } from '../../../../../src/config/rollout-schema.ts';
import { Webhooks } from '../../../../../src/runtime/supervisor/rollouts/webhooks.ts';

let server: Server;
let at: string;
let lost: string[];
let webhooks: Webhooks;

beforeEach(async () => {
  lost = [];
  // Nobody is ever answered, so that all that is sent waits.
  server = createServer(() => undefined);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  webhooks = new Webhooks({
    log: { error: (_message, fields) => void lost.push(String(fields!['reason'])) },
    metrics: { webhookEnded: () => undefined },
    wallMs: () => 0,
  });
});

afterEach(async () => {
  webhooks.close();
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

/** Parsed anew each time, as a reload does. */
const configOf = (...paths: readonly string[]): WebhookConfig[] =>
  rollouts.parse({ webhooks: paths.map((path) => ({ url: `${at}${path}` })) }).webhooks;

describe('the webhooks of a gateway', () => {
  it('keep what waits over a reload that says nothing new of them, whatever it says of others', () => {
    webhooks.configure(configOf('/a', '/b'), ['', 'key']);
    webhooks.send({ id: '1' });
    webhooks.configure(configOf('/c', '/b', '/a'), ['', 'key', '']);
    expect([webhooks.length, lost]).toEqual([2, []]);
    webhooks.send({ id: '2' });
    expect(webhooks.length).toBe(5);
  });

  it('give up what waits for one that is gone or has another secret, and say why', () => {
    webhooks.configure(configOf('/a', '/b'), ['', 'key']);
    webhooks.send({ id: '1' });
    webhooks.configure(configOf('/b'), ['other']);
    expect(webhooks.length).toBe(0);
    expect(lost).toHaveLength(2);
    for (const reason of lost) expect(reason).toContain('the config has this webhook no more');
  });
});

describe('the address of a webhook', () => {
  it('has no user and no password, with which nothing can be sent', () => {
    const refused = rollouts.safeParse({ webhooks: [{ url: 'https://ann:hush@example.org/hooks' }] });
    expect(refused.error?.issues).toMatchObject([
      { path: ['webhooks', 0, 'url'], message: expect.stringContaining('no password') },
    ]);
    expect(refused.error?.message).not.toContain('hush');
  });
});
