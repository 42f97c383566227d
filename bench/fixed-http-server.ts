/** The peer of the REST rows: node:http that reads the body and gives a fixed answer for each path, and nothing else. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveAsCompanion } from './companion-side.ts';

let answered = 0;

serveAsCompanion(listen, () => answered);

/** `answers` is body by path. */
function listen(answers: Readonly<Record<string, string>>): Promise<number> {
  const bodies = new Map(Object.entries(answers).map(([path, body]) => [path, Buffer.from(body)]));
  const server = createServer((request, response) => {
    request.on('data', () => undefined);
    request.on('end', () => {
      const body = bodies.get(request.url!)!;
      answered++;
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
      response.end(body);
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
