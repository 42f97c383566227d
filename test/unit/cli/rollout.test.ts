import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rollout } from '../../../src/cli/commands/rollout.ts';
import { Exit } from '../../../src/cli/exit-codes.ts';
import { FakeTerminal } from './fake-terminal.ts';

let server: Server;
let url: string;
let rollouts: object[];
let asked: string[];

beforeEach(async () => {
  asked = [];
  process.env['SLUICE_ADMIN_TOKEN'] = 'token';
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(request.method === 'GET' ? { rollouts } : rollouts[0]));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  delete process.env['SLUICE_ADMIN_TOKEN'];
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

const one = (id: string, state: string): object => ({
  id,
  state,
  pending: false,
  spec: { model: 'm', variant: 'v2', steps: [] },
});

describe('sluice rollout', () => {
  it('takes the one under way for the one of a model, though a later one has ended', async () => {
    rollouts = [one('late', 'superseded'), one('serves', 'paused'), one('old', 'completed')];
    expect(await rollout.run(['abort', 'm', '--json', '--admin', url], new FakeTerminal())).toBe(Exit.Ok);
    expect(asked.at(-1)).toBe('POST /admin/v1/rollouts/serves/abort');
  });

  it('takes the latest where none of a model is under way', async () => {
    rollouts = [one('late', 'superseded'), one('old', 'completed')];
    const terminal = new FakeTerminal();
    await rollout.run(['status', 'm', '--json', '--admin', url], terminal);
    expect(JSON.parse(terminal.text)).toMatchObject({ id: 'late' });
  });

  it('says lines of JSON while it watches, also where a person looks on', async () => {
    rollouts = [one('late', 'superseded')];
    const terminal = new FakeTerminal(true);
    await rollout.run(['status', '--watch', '--json', '--admin', url], terminal);
    await rollout.run(['status', 'm', '--watch', '--json', '--admin', url], terminal);
    expect(terminal.lines.map((line) => JSON.parse(line) as object)).toEqual([{ rollouts }, rollouts[0]]);
  });
});
