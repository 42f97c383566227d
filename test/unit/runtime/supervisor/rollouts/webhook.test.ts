import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EVENT_TYPE, eventOf } from '../../../../../src/runtime/supervisor/rollouts/rollout-event.ts';
import { SHUTTING_DOWN, Webhook } from '../../../../../src/runtime/supervisor/rollouts/webhook.ts';
import { FakeAlarms } from '../../../../support/fake-alarms.ts';
import { FakeClock } from '../../../../support/fake-clock.ts';
import { RolloutWorld } from './world.ts';

interface Received {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let server: Server;
let url: string;
let received: Received[];
/** Statuses of the answers to come; -1 never answers, -2 takes it and says something without an end. Behind the last all are 204. */
let statuses: number[];
let ended: string[];
let clock: FakeClock;
let alarms: FakeAlarms;

beforeEach(async () => {
  [received, statuses, ended] = [[], [], []];
  clock = new FakeClock();
  alarms = new FakeAlarms(clock);
  server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request as AsyncIterable<Buffer>) body += piece.toString();
    received.push({ id: (JSON.parse(body) as { id: string }).id, headers: request.headers, body });
    const status = statuses.shift() ?? 204;
    if (status === -1) return;
    if (status === -2) {
      response.writeHead(200).write('on and');
      return;
    }
    response.writeHead(status, status === 302 ? { location: `${url}/elsewhere` } : {});
    response.end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

function webhook(
  more: { readonly secret?: string; readonly maxTries?: number; readonly maxQueued?: number; readonly timeoutMs?: number } = {},
): Webhook {
  const { secret = '', maxTries = 3, maxQueued = 10, timeoutMs = 5_000 } = more;
  return new Webhook({
    config: { url, timeoutMs, maxTries, firstRetryMs: 1_000, longestRetryMs: 1_500, maxQueued },
    secret,
    wallMs: () => clock.wallMs(),
    setAlarm: alarms.set,
    random: () => 1,
    ended: (id, outcome, problem) => void ended.push(`${id} ${outcome}${problem === '' ? '' : `: ${problem}`}`),
  });
}

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !holds(); i++) await new Promise((done) => setTimeout(done, 5));
  expect(holds()).toBe(true);
}

describe('a webhook', () => {
  it('delivers events in their order, one at a time', async () => {
    const hook = webhook();
    for (const id of ['a', 'b', 'c']) hook.send({ id });
    await until(() => ended.length === 3);
    expect(received.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(ended).toEqual(['a delivered', 'b delivered', 'c delivered']);
    expect(received[0]!.headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
  });

  it('signs what it sends, so that the receiver can tell it from what others send', async () => {
    webhook({ secret: 'hush' }).send({ id: 'a' });
    await until(() => ended.length === 1);
    const { headers, body } = received[0]!;
    const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
    const expected = createHmac('sha256', 'hush').update(signed).digest('base64');
    expect([headers['webhook-id'], headers['webhook-signature']]).toEqual(['a', `v1,${expected}`]);
  });

  it('tries again after growing waits, with the same id, and goes on with the next behind it', async () => {
    statuses = [503, 429];
    const hook = webhook();
    hook.send({ id: 'a' });
    hook.send({ id: 'b' });
    await until(() => alarms.size === 1);
    alarms.advance(999);
    expect(received).toHaveLength(1);
    alarms.advance(1);
    await until(() => received.length === 2 && alarms.size === 1);
    // Twice the first wait would be longer than the longest.
    alarms.advance(1_500);
    await until(() => ended.length === 2);
    expect(received.map(({ id }) => id)).toEqual(['a', 'a', 'a', 'b']);
  });

  it('gives up after so many tries, and at once where another would not help', async () => {
    statuses = [500, 500, 400];
    const hook = webhook({ maxTries: 2 });
    hook.send({ id: 'a' });
    hook.send({ id: 'b' });
    await until(() => alarms.size === 1);
    alarms.advance(1_000);
    await until(() => ended.length === 2);
    expect(ended).toEqual(['a failed: it answered 500', 'b failed: it answered 400']);
  });

  it('follows no redirect', async () => {
    statuses = [302];
    webhook().send({ id: 'a' });
    await until(() => ended.length === 1);
    expect([ended, received.length]).toEqual([['a failed: it answered 302'], 1]);
  });

  it('waits for no answer longer than it may', async () => {
    statuses = [-1];
    webhook({ maxTries: 1, timeoutMs: 50 }).send({ id: 'a' });
    await until(() => ended.length === 1);
    expect(ended[0]).toContain('no answer within 50 ms');
  });

  it('takes a receiver at its status that does not end what it says, and does not send it again', async () => {
    statuses = [-2];
    webhook({ timeoutMs: 500, maxTries: 1 }).send({ id: 'a' });
    await until(() => ended.length === 1);
    expect([ended, received.length]).toEqual([['a delivered'], 1]);
  });

  it('says what an address has wrong that nothing is sent to', async () => {
    // A port that browsers, and so fetch, refuse to speak to.
    url = 'http://127.0.0.1:1';
    webhook({ maxTries: 1 }).send({ id: 'a' });
    await until(() => ended.length === 1);
    expect(ended).toEqual(['a failed: bad port']);
  });

  it('says why nobody could be reached', async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    webhook({ maxTries: 1 }).send({ id: 'a' });
    await until(() => ended.length === 1);
    expect(ended[0]).toBe('a failed: ECONNREFUSED');
  });

  it('drops the oldest that waits where too many do, but not the one on its way', async () => {
    statuses = [-1];
    const hook = webhook({ maxQueued: 2 });
    for (const id of ['a', 'b', 'c']) hook.send({ id });
    expect(ended).toEqual(['b dropped: too many events wait']);
    expect(hook.length).toBe(2);
    hook.close(SHUTTING_DOWN);
    expect(ended.slice(1)).toEqual(['a dropped: the gateway is shutting down', 'c dropped: the gateway is shutting down']);
    hook.send({ id: 'd' });
    expect(ended.at(-1)).toContain('d dropped');
  });
});

describe('the event of a transition', () => {
  it('is a CloudEvent with an id of its own', async () => {
    const world = new RolloutWorld();
    await world.start();
    const [record] = world.disk.read().records;
    const event = eventOf(record!, record!.transitions[0]!, '/sluice/eu');
    expect(event).toMatchObject({
      specversion: '1.0',
      id: 'r1.1',
      source: '/sluice/eu',
      type: EVENT_TYPE,
      subject: 'models/m/rollouts/r1',
      datacontenttype: 'application/json',
      data: {
        rollout: 'r1',
        model: 'm',
        variant: 'v2',
        from: '',
        to: 'running',
        step: 0,
        steps: 2,
        weightBp: 1_000,
        actor: 'ann',
      },
    });
    expect(new Date(event.time).toISOString()).toBe(event.time);
    world.verdict = 'harm';
    await world.pass(500);
    const [later] = world.disk.read().records;
    expect(eventOf(later!, later!.transitions.at(-1)!, '/s').id).toBe('r1.2');
  });
});
