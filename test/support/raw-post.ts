import { type IncomingHttpHeaders, request } from 'node:http';
import type { GatewayUnderTest } from './gateway-under-test.ts';

/** A POST whose bytes and header fields are the caller's own, and an answer as it came: nothing is packed or unpacked on the way. */

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface RawPost {
  readonly path: string;
  readonly key: string;
  readonly body: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export function rawPost(gateway: GatewayUnderTest, post: RawPost): Promise<RawAnswer> {
  const headers = { authorization: `Bearer ${post.key}`, 'content-length': post.body.length, ...post.headers };
  return new Promise((resolve, reject) => {
    const sent = request(`${gateway.httpUrl}${post.path}`, { method: 'POST', headers }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(pieces) }));
    });
    sent.on('error', reject);
    sent.end(post.body);
  });
}
