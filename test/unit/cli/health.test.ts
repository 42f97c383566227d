import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { health } from '../../../src/cli/commands/health.ts';
import { CliError, Exit } from '../../../src/cli/exit-codes.ts';
import { TEST_CERTIFICATE, TEST_CERTIFICATE_KEY } from '../../support/test-certificate.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function portOf(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

const answering = (listener: RequestListener): Promise<number> => portOf(createServer(listener));

async function run(...args: string[]): Promise<{ code: Exit; said: string }> {
  let said = '';
  const hear = (line: string): void => {
    said = line;
  };
  return { code: await health.run(args, { out: hear, err: hear, isLive: false }), said };
}

describe('sluice health', () => {
  it('asks the open health path without a credential and ends with 0 when it is ready', async () => {
    const asked: unknown[] = [];
    const port = await answering((request, response) => {
      asked.push([request.url, request.headers.authorization]);
      response.end('{"ready":true}');
    });
    expect(await run('--url', `http://127.0.0.1:${port}`)).toEqual({ code: Exit.Ok, said: 'ready' });
    expect(asked).toEqual([['/v2/health/ready', undefined]]);
  });

  it('asks a path of its own as it is, such as the one of the admin port', async () => {
    const port = await answering((request, response) => {
      response.statusCode = request.url === '/healthz' ? 200 : 404;
      response.end();
    });
    expect((await run('--url', `http://127.0.0.1:${port}/healthz`)).code).toBe(Exit.Ok);
  });

  it('speaks TLS to whatever certificate the port has', async () => {
    const port = await portOf(
      createTlsServer({ cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE_KEY }, (_request, response) => response.end()),
    );
    expect((await run('--url', `https://127.0.0.1:${port}`)).code).toBe(Exit.Ok);
  });

  it('ends with 1 and says why when the answer is no, or there is none', async () => {
    const draining = await answering((_request, response) => {
      response.statusCode = 503;
      response.end();
    });
    const no = await run('--url', `http://127.0.0.1:${draining}`);
    expect(no).toEqual({ code: Exit.Failed, said: `http://127.0.0.1:${draining} is not ready: it answered 503` });
    for (const server of servers.splice(0)) await new Promise((done) => server.close(done));
    const gone = await run('--url', `http://127.0.0.1:${draining}`);
    expect(gone).toEqual({ code: Exit.Failed, said: expect.stringContaining('ECONNREFUSED') });
  });

  it('gives up after two seconds with a server that says nothing', async () => {
    const port = await answering(() => undefined);
    const startedMs = performance.now();
    const silent = await run('--url', `http://127.0.0.1:${port}`);
    expect(silent).toEqual({ code: Exit.Failed, said: expect.stringContaining('no answer within 2000 ms') });
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });

  it.each([[['--url', 'nonsense']], [['--url', 'ftp://h']], [['--what']]])('refuses %j as a wrong command line', async (args) => {
    await expect(run(...args)).rejects.toThrow(CliError);
  });
});
