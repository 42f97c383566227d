import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { callAdmin } from '../../../src/cli/admin-client.ts';
import { Exit } from '../../../src/cli/exit-codes.ts';

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function ask(listener: RequestListener): Promise<unknown> {
  server = createServer(listener);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return callAdmin({ url, token: 't' }, 'GET', 'plans');
}

describe('a call to the admin API', () => {
  it('whose connection is cut within the answer is a gateway that is not available, so that live views wait for it', async () => {
    const cut = ask((_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"plans":', () => response.destroy());
    });
    await expect(cut).rejects.toMatchObject({ code: Exit.Unavailable, message: expect.stringContaining('broke off') });
  });

  it('has the answer, or the words of the gateway about why there is none', async () => {
    expect(await ask((_request, response) => void response.end('{"plans":[]}'))).toEqual({ plans: [] });
    server.close();
    const refused = ask((_request, response) => void response.writeHead(403).end('{"detail":"no right"}'));
    await expect(refused).rejects.toMatchObject({ code: Exit.NoPermission, message: '403: no right' });
  });
});
