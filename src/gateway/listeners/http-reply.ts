import type { ServerResponse } from 'node:http';
import type { Reply } from '../../core/exchange.ts';
import { HttpRejection, type Rejection } from './http-rejections.ts';

/** Writes whole answers: status and header fields at once, the body in pieces as they are, all in one system call. */

/** False when the reply cannot be sent as it is (a line break in a header field, no such status); a plain 500 goes out instead. @hot */
export function endWithReply(response: ServerResponse, reply: Reply, last: boolean): boolean {
  try {
    response.writeHead(reply.status, fieldsOf(reply, last));
  } catch {
    // The only throw here is node:http refusing a field or a status, before it has written anything.
    response.statusMessage = '';
    endWithRejection(response, HttpRejection.Reply);
    return false;
  }
  const pieces = reply.pieces;
  if (pieces.length === 1) {
    response.end(pieces[0]);
    return true;
  }
  response.cork();
  for (let i = 0; i < pieces.length; i++) response.write(pieces[i]);
  response.end();
  response.uncork();
  return true;
}

/** Begins an answer whose length nobody knows yet. False as above. */
export function beginReply(response: ServerResponse, reply: Reply, last: boolean): boolean {
  try {
    const fields = ['content-type', reply.contentType];
    addFields(fields, reply, last);
    response.writeHead(reply.status, fields);
    return true;
  } catch {
    response.statusMessage = '';
    endWithRejection(response, HttpRejection.Reply);
    return false;
  }
}

/** Answers with a prepared refusal and ends the connection after it. */
export function endWithRejection(response: ServerResponse, rejection: Rejection): void {
  response.writeHead(rejection.kind.http, [
    'content-type',
    'application/json',
    'content-length',
    String(rejection.body.length),
    'connection',
    'close',
  ]);
  response.end(rejection.body);
}

function fieldsOf(reply: Reply, last: boolean): string[] {
  const fields: string[] = [];
  // These two statuses have no body by definition, and no length for one.
  if (reply.status !== 204 && reply.status !== 304) {
    fields.push('content-type', reply.contentType, 'content-length', String(sizeOf(reply.pieces)));
  }
  addFields(fields, reply, last);
  return fields;
}

function addFields(fields: string[], reply: Reply, last: boolean): void {
  if (last) fields.push('connection', 'close');
  const headers = reply.headers;
  for (let i = 0; i < headers.length; i++) fields.push(headers[i]!);
}

function sizeOf(pieces: readonly Uint8Array[]): number {
  let size = 0;
  for (let i = 0; i < pieces.length; i++) size += pieces[i]!.length;
  return size;
}
