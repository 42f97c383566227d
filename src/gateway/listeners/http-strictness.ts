import { HttpRejection, type Rejection } from './http-rejections.ts';

/**
 * What an HTTP request must look like before anything hears of it, beyond what the parser checks: one reading for every proxy and driver
 * on the way, so that nobody can hide a second request, a second identity or a second path in it.
 *
 * HTTP/1.0 is taken (older proxies and health checks speak it) under the same rules: one Host, no Transfer-Encoding. `Upgrade` is
 * ignored, as the standard allows and JDK clients need, and never followed.
 */

// Client libraries send ten to twenty fields; more than this is padding for something.
const MAX_FIELDS = 128;
// Digits that a double holds exactly.
const MAX_LENGTH_DIGITS = 15;
const HOST = /^[A-Za-z0-9.:_[\]-]{1,255}$/;

const HASH = 0x23;
const PERCENT = 0x25;
const DOT = 0x2e;
const SLASH = 0x2f;
const ZERO = 0x30;
const NINE = 0x39;
const SEMICOLON = 0x3b;
const QUESTION = 0x3f;
const BACKSLASH = 0x5c;

/** Fields that may stand once, each with a bit of its own. */
const Once = {
  Host: 1,
  ContentLength: 2,
  TransferEncoding: 4,
  Expect: 8,
  ApiKey: 16,
  ContentType: 32,
  Authorization: 64,
  ContentEncoding: 128,
  JsonLength: 256,
} as const;

/** Null when the request may be dispatched. `fields` is name, value, name, value, as they came. @hot */
export function flawOfRequest(method: string, target: string, fields: readonly string[]): Rejection | null {
  return flawOfTarget(target) ?? flawOfFields(method, fields);
}

/** Null when `target` is in origin form with a canonical path. @hot */
export function flawOfTarget(target: string): Rejection | null {
  if (target.charCodeAt(0) !== SLASH) return HttpRejection.Target;
  let inQuery = false;
  for (let i = 0; i < target.length; i++) {
    const c = target.charCodeAt(i);
    if (c <= 0x20 || c >= 0x7f || c === HASH || c === BACKSLASH) return HttpRejection.Path;
    if (inQuery) continue;
    if (c === QUESTION) inQuery = true;
    else if (c === SLASH && !beginsSegment(target, i + 1)) return HttpRejection.Path;
    else if (c === PERCENT && !isHarmlessEscape(target, i)) return HttpRejection.Path;
  }
  return null;
}

function flawOfFields(method: string, fields: readonly string[]): Rejection | null {
  if (fields.length > 2 * MAX_FIELDS) return HttpRejection.Fields;
  let seen = 0;
  for (let i = 0; i < fields.length; i += 2) {
    const bit = bitOf(fields[i]!);
    if (bit === 0) continue;
    if ((seen & bit) !== 0) return bit === Once.Host ? HttpRejection.Host : HttpRejection.Twice;
    seen |= bit;
    const flaw = flawOfValue(method, bit, fields[i + 1]!);
    if (flaw !== null) return flaw;
  }
  return (seen & Once.Host) === 0 ? HttpRejection.Host : null;
}

function flawOfValue(method: string, bit: number, value: string): Rejection | null {
  if (bit === Once.TransferEncoding) return HttpRejection.TransferEncoding;
  if (bit === Once.Host) return HOST.test(value) ? null : HttpRejection.Host;
  if (bit !== Once.ContentLength) return null;
  if (!isLength(value)) return HttpRejection.ContentLength;
  return takesBody(method) || Number(value) === 0 ? null : HttpRejection.BodyOnRead;
}

const takesBody = (method: string): boolean => method === 'POST' || method === 'PUT' || method === 'PATCH' || method === 'DELETE';

/** 0 for a field without a rule. The length of the name rules nearly all of them out before anything is compared. */
function bitOf(name: string): number {
  switch (name.length) {
    case 4:
      return isNamed(name, 'Host', 'host') ? Once.Host : 0;
    case 6:
      return isNamed(name, 'Expect', 'expect') ? Once.Expect : 0;
    case 9:
      return isNamed(name, 'X-API-Key', 'x-api-key') ? Once.ApiKey : 0;
    case 12:
      return isNamed(name, 'Content-Type', 'content-type') ? Once.ContentType : 0;
    case 13:
      return isNamed(name, 'Authorization', 'authorization') ? Once.Authorization : 0;
    case 14:
      return isNamed(name, 'Content-Length', 'content-length') ? Once.ContentLength : 0;
    case 16:
      return isNamed(name, 'Content-Encoding', 'content-encoding') ? Once.ContentEncoding : 0;
    case 17:
      return isNamed(name, 'Transfer-Encoding', 'transfer-encoding') ? Once.TransferEncoding : 0;
    case 31:
      return isNamed(name, 'Inference-Header-Content-Length', 'inference-header-content-length') ? Once.JsonLength : 0;
    default:
      return 0;
  }
}

const isNamed = (name: string, usual: string, lower: string): boolean =>
  name === usual || name === lower || name.toLowerCase() === lower;

function isLength(value: string): boolean {
  if (value.length === 0 || value.length > MAX_LENGTH_DIGITS) return false;
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c < ZERO || c > NINE) return false;
  }
  return true;
}

/** Whether what stands at `at` is neither an empty segment nor `.` or `..`; a slash at the very end is let be. */
function beginsSegment(target: string, at: number): boolean {
  const first = target.charCodeAt(at);
  if (first === SLASH) return false;
  if (first !== DOT) return true;
  const second = target.charCodeAt(at + 1);
  return !(endsSegment(second) || (second === DOT && endsSegment(target.charCodeAt(at + 2))));
}

/** NaN is the end of the target. A semicolon counts: some servers cut path parameters off and then read `..;` as `..`. */
const endsSegment = (c: number): boolean => Number.isNaN(c) || c === SLASH || c === QUESTION || c === SEMICOLON;

/** Whether the escape at `at` is well formed and hides no separator, no dot, no second escape and no control character. */
function isHarmlessEscape(target: string, at: number): boolean {
  const high = hexDigit(target.charCodeAt(at + 1));
  const low = hexDigit(target.charCodeAt(at + 2));
  if (high < 0 || low < 0) return false;
  const c = high * 16 + low;
  return c >= 0x20 && c !== 0x7f && c !== SLASH && c !== DOT && c !== BACKSLASH && c !== PERCENT;
}

/** -1 for what is none; NaN, the end of the target, is none. */
function hexDigit(c: number): number {
  if (c >= ZERO && c <= NINE) return c - ZERO;
  const folded = c | 0x20;
  return folded >= 0x61 && folded <= 0x66 ? folded - 0x57 : -1;
}
