import type { RequestContext } from '../../core/context.ts';
import { Fault } from '../../core/faults.ts';
import type { Verdict } from '../../core/verdict.ts';
import { visibleRoutes } from '../../core/visibility.ts';
import { JsonCursor, NO_KEY, STRANGER } from '../../wire/json/cursor.ts';
import { quoted } from '../../wire/json/message-text.ts';
import { NameTable } from '../../wire/json/name-table.ts';
import { skipValue } from '../../wire/json/skip.ts';
import { fillReply, jsonBytes } from './json-reply.ts';
import { QueryCodec } from './query-codec.ts';

/** The model repository as callers may know it: an index of what they may use. Nothing is loaded or unloaded from here. */

const MAX_DEPTH = 16;
/** Bodies of repository requests are a flag or two; one that is longer carries something else. */
export const MAX_REPOSITORY_BYTES = 65_536;

const INDEX_KEYS = new NameTable(['ready']);
const LOAD_KEYS = new NameTable(['parameters']);
const FILE_KEYS = new NameTable(['config']);
const KNOWN = 0;

/** `POST /v2/repository/index`: the variants of all models that the caller may use, with their state. */
export class RepositoryIndexCodec extends QueryCodec {
  override readonly name = 'rest-repository-index';
  readonly #cursor = new JsonCursor(MAX_DEPTH);
  #readyOnly = false;

  override decode(ctx: RequestContext): Verdict {
    this.#readyOnly = false;
    const problem = problemOf(this.#cursor, ctx, this.#read);
    if (problem !== '') return ctx.refuse(Fault.Malformed, problem);
    const rows: unknown[] = [];
    for (const route of visibleRoutes(ctx.snapshot, ctx.principal!)) {
      for (const { name, state } of route.plan.variants) {
        const ready = state.readiness.is === 'ready';
        if (this.#readyOnly && !ready) continue;
        rows.push({
          name: route.model,
          version: name,
          state: ready ? 'READY' : 'UNAVAILABLE',
          // The reason in full names files and addresses of ours, so callers get one word of it.
          reason: ready ? '' : state.readiness.is,
        });
      }
    }
    fillReply(ctx, 200, [jsonBytes(rows)]);
    return ctx.answer();
  }

  readonly #read = (cursor: JsonCursor): boolean => {
    if (!cursor.openObject()) return false;
    for (;;) {
      const key = cursor.nextKey(INDEX_KEYS);
      if (key === NO_KEY) return cursor.fault === '';
      if (key === STRANGER) {
        if (skipValue(cursor, false) === -1) return false;
        continue;
      }
      cursor.peek();
      if (cursor.literal('true')) this.#readyOnly = true;
      else if (!cursor.literal('false')) return cursor.expected('true or false for "ready"');
    }
  };
}

/**
 * `POST /v2/repository/models/{m}/load` and `/unload`: refused on this port for every model, known or not. One that brings files or a
 * configuration is an upload and refused as such.
 */
export class RepositoryChangeCodec extends QueryCodec {
  override readonly name = 'rest-repository-change';
  readonly #cursor = new JsonCursor(MAX_DEPTH);

  override decode(ctx: RequestContext): Verdict {
    const problem = problemOf(this.#cursor, ctx, readChange);
    if (problem !== '') return ctx.refuse(Fault.Malformed, problem);
    return ctx.refuse(
      Fault.Forbidden,
      'Models are loaded and unloaded on the admin port alone: POST /admin/v1/models/{model}/variants/{variant}/load or /unload.',
    );
  }
}

function readChange(cursor: JsonCursor): boolean {
  if (!cursor.openObject()) return false;
  for (;;) {
    const key = cursor.nextKey(LOAD_KEYS);
    if (key === NO_KEY) return cursor.fault === '';
    const fine = key === KNOWN ? readChangeParameters(cursor) : skipValue(cursor, false) !== -1;
    if (!fine) return false;
  }
}

function readChangeParameters(cursor: JsonCursor): boolean {
  if (!cursor.openObject()) return false;
  for (;;) {
    const key = cursor.nextKey(FILE_KEYS);
    if (key === NO_KEY) return cursor.fault === '';
    const name = key === KNOWN ? 'config' : cursor.text();
    if (key === KNOWN || name.startsWith('file:')) {
      return cursor.refuse(`parameter ${quoted(name)}: files and configurations of models are never taken from a request`);
    }
    if (skipValue(cursor, false) === -1) return false;
  }
}

/** What is wrong with the body, which may be empty; an empty text when it can be read. */
function problemOf(cursor: JsonCursor, ctx: RequestContext, read: (cursor: JsonCursor) => boolean): string {
  const body = ctx.body.length === 1 ? ctx.body[0]! : Buffer.concat(ctx.body);
  if (body.length === 0) return '';
  const whole = cursor.start(body) && read(cursor) && cursor.finish();
  const problem = whole ? '' : cursor.fault;
  cursor.stop();
  return problem;
}
