/**
 * A backend whose capacity is known: an OIP server over HTTP in which k servers each take a fixed time for a request, and whoever finds none
 * free waits in one queue. Whoever leaves the queue before its turn costs nothing; whoever leaves later has cost all the same.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveAsCompanion } from '../companion-side.ts';

const METADATA = JSON.stringify({
  name: 'timed',
  versions: ['1'],
  platform: 'timed',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 2] }],
});
const ANSWER = JSON.stringify({
  model_name: 'timed',
  outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 2], data: [1, 2] }],
});

let calls = 0;
let free = 0;
let serviceMs = 0;
const queue: ServerResponse[] = [];

serveAsCompanion(listen, () => calls);

/** `answers` says how it serves: `servers` and `serviceMs`. */
function listen(answers: Readonly<Record<string, string>>): Promise<number> {
  free = Number(answers['servers']);
  serviceMs = Number(answers['serviceMs']);
  const server = createServer((request, response) => {
    request.resume();
    request.once('end', () => answer(request, response));
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', 4_096, () => resolve((server.address() as AddressInfo).port));
  });
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  if (request.url!.endsWith('/infer')) {
    calls++;
    queue.push(response);
    serve();
  } else if (request.url!.endsWith('/ready')) response.end();
  else say(response, METADATA);
}

function serve(): void {
  while (free > 0) {
    const next = queue.shift();
    if (next === undefined) return;
    if (next.destroyed) continue;
    free--;
    setTimeout(() => {
      free++;
      if (!next.destroyed) say(next, ANSWER);
      serve();
    }, serviceMs);
  }
}

function say(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}
