import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { parseBody } from '../config/admin-bodies.ts';
import type { AdminCaller, AdminHolder } from '../core/admin-access.ts';
import type { ControlPlane } from '../core/control-plane.ts';
import { type AdminAnswer, problem } from './admin-answer.ts';
import type { AdminCall } from './admin-route.ts';
import { IdempotentAnswers } from './idempotent-answers.ts';
import { mayDo, ROLES, rolesWith } from './roles.ts';
import { type FoundRoute, findRoute } from './route-table.ts';

export interface AdminDeskOptions {
  readonly plane: ControlPlane;
  readonly maxBodyBytes: number;
  /** Has everything that `run` records name the caller. */
  readonly within: <Result>(caller: AdminCaller, run: () => Result) => Result;
  /** Hears of a role that was not enough. */
  readonly onDenied: (reason: 'role', fields: Readonly<Record<string, string>>) => void;
}

const REQUEST_ID = /^[\w.-]{1,128}$/;
const IDEMPOTENCY_KEY = /^[!-~]{1,255}$/;

/** Answers those who hold a token: what their role may not do is refused before anything of the request is read. */
export class AdminDesk {
  readonly #o: AdminDeskOptions;
  readonly #repeats = new IdempotentAnswers();

  constructor(options: AdminDeskOptions) {
    this.#o = options;
  }

  async answer(holder: AdminHolder, request: IncomingMessage, url: URL): Promise<AdminAnswer> {
    const found = findRoute(request.method ?? '', url.pathname);
    if ('status' in found) return found;
    const caller = callerOf(holder, request);
    const answer = await this.#allowed(found, caller, request, url);
    return { ...answer, headers: { ...answer.headers, 'x-request-id': caller.requestId } };
  }

  async #allowed(found: FoundRoute, caller: AdminCaller, request: IncomingMessage, url: URL): Promise<AdminAnswer> {
    const { route } = found;
    if (!mayDo(caller.role, route.needs)) {
      const { actor, role } = caller;
      this.#o.onDenied('role', { actor, role, operation: route.operation, needs: route.needs });
      return forbidden(caller, found);
    }
    const text = await readBody(request, this.#o.maxBodyBytes);
    if (text === null) {
      const detail = `At most ${this.#o.maxBodyBytes} bytes are taken.`;
      // What comes behind that stays unread.
      return problem(413, 'Content Too Large', detail, { connection: 'close' });
    }
    const run = (): Promise<AdminAnswer> => this.#run(found, caller, url, text);
    const key = request.headers['idempotency-key'];
    return key === undefined || route.method === 'GET' ? run() : this.#once(String(key), caller, request, text, run);
  }

  async #once(
    key: string,
    { actor }: AdminCaller,
    { method, url }: IncomingMessage,
    text: string,
    run: () => Promise<AdminAnswer>,
  ): Promise<AdminAnswer> {
    if (!IDEMPOTENCY_KEY.test(key)) {
      return problem(400, 'Bad Request', 'Idempotency-Key: expected 1 to 255 visible ASCII characters without spaces.');
    }
    const name = `${actor}\n${key}`;
    const digest = createHash('sha256').update(`${method}\n${url}\n`).update(text).digest('base64');
    const known = this.#repeats.begin(name, digest);
    switch (known.is) {
      case 'running':
        return problem(409, 'Conflict', 'The request with this Idempotency-Key is under way; ask again for its answer.');
      case 'other':
        return problem(
          422,
          'Unprocessable Content',
          'This Idempotency-Key was used for another request; expected a key of its own for each.',
        );
      case 'done':
        return { ...known.answer, headers: { ...known.answer.headers, 'idempotency-replayed': 'true' } };
      case 'new':
        return this.#settled(name, digest, run);
      default:
        return known satisfies never;
    }
  }

  async #settled(name: string, digest: string, run: () => Promise<AdminAnswer>): Promise<AdminAnswer> {
    let answer: AdminAnswer | null = null;
    try {
      answer = await run();
      return answer;
    } finally {
      this.#repeats.settle(name, digest, answer);
    }
  }

  async #run({ route, params }: FoundRoute, caller: AdminCaller, url: URL, text: string): Promise<AdminAnswer> {
    let sent: unknown = {};
    try {
      if (text !== '') sent = JSON.parse(text);
    } catch (error) {
      return problem(400, 'Bad Request', `The body is not JSON: ${(error as Error).message}`);
    }
    const parsed = route.body === null ? { body: null } : parseBody(route.body, sent);
    if (typeof parsed === 'string') return problem(400, 'Bad Request', parsed);
    const call: AdminCall = { params, query: url.searchParams, body: parsed.body, actor: caller.actor };
    return this.#o.within(caller, () => route.run(this.#o.plane, call));
  }
}

function callerOf({ name, role }: AdminHolder, { headers }: IncomingMessage): AdminCaller {
  const given = headers['x-request-id'];
  return { actor: name, role, requestId: typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID() };
}

function forbidden({ actor, role }: AdminCaller, { route }: FoundRoute): AdminAnswer {
  const may = Object.hasOwn(ROLES, role) ? ROLES[role as keyof typeof ROLES].join(', ') : 'nothing';
  const detail = `The token "${actor}" has the role ${role}, which may: ${may}. ${route.operation} needs "${route.needs}": use a token with one of the roles ${rolesWith(route.needs).join(', ')}.`;
  return problem(403, 'Forbidden', detail, {}, { role, needs: route.needs });
}

/** Null when it is too large. */
async function readBody(request: IncomingMessage, maxBytes: number): Promise<string | null> {
  const pieces: Buffer[] = [];
  let size = 0;
  // Who leaves the loop must still be able to answer.
  for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > maxBytes) return null;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
