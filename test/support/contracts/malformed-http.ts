/** Requests that no HTTP driver may hand on, each with the verdict it must get. */
export interface MalformedCase {
  readonly what: string;
  readonly bytes: string;
  /** Any of these; where a driver's parser and its own rules both object, either may speak first. */
  readonly statuses: readonly number[];
}

const CRLF = '\r\n';
const POST = 'POST /v2/models/m/infer HTTP/1.1\r\nHost: x\r\n';
const GET = 'GET /v2 HTTP/1.1\r\nHost: x\r\n';
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
const CHUNKED_BODY = '5\r\nhello\r\n0\r\n\r\n';

const of = (what: string, bytes: string, ...statuses: readonly number[]): MalformedCase => ({
  what,
  bytes,
  statuses: statuses.length === 0 ? [400] : statuses,
});
const post = (what: string, fields: string, body: string, ...statuses: readonly number[]): MalformedCase =>
  of(what, POST + fields + CRLF + body, ...statuses);
const get = (what: string, fields: string, ...statuses: readonly number[]): MalformedCase =>
  of(what, GET + fields + CRLF, ...statuses);
const target = (what: string, path: string): MalformedCase => of(what, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);

const LENGTHS: readonly MalformedCase[] = [
  post('a Content-Length with a sign', 'Content-Length: +5\r\n', 'hello'),
  post('a negative Content-Length', 'Content-Length: -5\r\n', 'hello'),
  post('a hexadecimal Content-Length', 'Content-Length: 0x5\r\n', 'hello'),
  post('a Content-Length that is a list', 'Content-Length: 5, 5\r\n', 'hello'),
  post('a Content-Length with a space inside', 'Content-Length: 5 5\r\n', 'hello'),
  post('a fractional Content-Length', 'Content-Length: 5.0\r\n', 'hello'),
  post('an empty Content-Length', 'Content-Length:\r\n', 'hello'),
  post('a Content-Length beyond 64 bits', 'Content-Length: 99999999999999999999\r\n', 'hello'),
  post('a Content-Length beyond the exact numbers', 'Content-Length: 10000000000000000\r\n', 'hello'),
  post('two equal Content-Lengths', 'Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'),
  post('two different Content-Lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n', 'hello'),
  of('a body on GET', `${GET}Content-Length: 5\r\n\r\nhello`),
  of('a body on OPTIONS', 'OPTIONS /v2 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello'),
];

const ENCODINGS: readonly MalformedCase[] = [
  post('a chunked body', 'Transfer-Encoding: chunked\r\n', CHUNKED_BODY, 411),
  post('a chunked body with a request behind it', 'Transfer-Encoding: chunked\r\n', `0\r\n\r\n${SMUGGLED}`, 411),
  post('a chunked body with an extension', 'Transfer-Encoding: chunked\r\n', '5;a=b\r\nhello\r\n0\r\n\r\n', 411),
  post('a chunked body with a trailer', 'Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\nHost: y\r\n\r\n', 411),
  post('a chunk without its line end', 'Transfer-Encoding: chunked\r\n', `5\r\nhelloXX0\r\n\r\n${SMUGGLED}`, 411),
  post('a chunk size with a bare line feed', 'Transfer-Encoding: chunked\r\n', `5\nhello\r\n0\r\n\r\n${SMUGGLED}`, 411),
  post('a negative chunk size', 'Transfer-Encoding: chunked\r\n', '-5\r\nhello\r\n0\r\n\r\n', 411),
  post(
    'Content-Length before Transfer-Encoding',
    'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
    `0\r\n\r\n${SMUGGLED}`,
    400,
    411,
  ),
  post(
    'Transfer-Encoding before Content-Length',
    'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n',
    `0\r\n\r\n${SMUGGLED}`,
    400,
    411,
  ),
  post('Transfer-Encoding: identity', 'Transfer-Encoding: identity\r\n', 'hello', 400, 411),
  post('Transfer-Encoding: xchunked', 'Transfer-Encoding: xchunked\r\n', CHUNKED_BODY, 400, 411),
  post('Transfer-Encoding: chunked, identity', 'Transfer-Encoding: chunked, identity\r\n', CHUNKED_BODY, 400, 411),
  post('Transfer-Encoding: gzip, chunked', 'Transfer-Encoding: gzip, chunked\r\n', CHUNKED_BODY, 400, 411),
  post('Transfer-Encoding twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', CHUNKED_BODY, 400, 411),
  post('Transfer-Encoding with a vertical tab', 'Transfer-Encoding: \x0bchunked\r\n', CHUNKED_BODY, 400, 411),
  post('Transfer-Encoding that is empty', 'Transfer-Encoding:\r\n', CHUNKED_BODY, 400, 411),
  post('Transfer-Encoding with a space before its colon', 'Transfer-Encoding : chunked\r\n', CHUNKED_BODY),
  get('Transfer-Encoding on GET', 'Transfer-Encoding: chunked\r\n', 400, 411),
  of(
    'Transfer-Encoding under HTTP/1.0',
    `POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKED_BODY}`,
    400,
    411,
  ),
];

const FIELDS: readonly MalformedCase[] = [
  of('no Host', 'GET /v2 HTTP/1.1\r\n\r\n'),
  of('no Host under HTTP/1.0', 'GET /v2 HTTP/1.0\r\n\r\n'),
  get('two different Hosts', 'Host: y\r\n'),
  get('two equal Hosts', 'host: x\r\n'),
  of('an empty Host', 'GET /v2 HTTP/1.1\r\nHost:\r\n\r\n'),
  of('a Host with a path', 'GET /v2 HTTP/1.1\r\nHost: x/y\r\n\r\n'),
  of('a Host with a user', 'GET /v2 HTTP/1.1\r\nHost: a@x\r\n\r\n'),
  of('a Host that is a list', 'GET /v2 HTTP/1.1\r\nHost: x, y\r\n\r\n'),
  get('two Authorizations', 'Authorization: Bearer a\r\nauthorization: Bearer b\r\n'),
  get('two API keys', 'x-api-key: a\r\nX-Api-Key: b\r\n'),
  post('two Content-Types', 'Content-Type: text/plain\r\nContent-Type: application/json\r\nContent-Length: 2\r\n', '{}'),
  post('two Content-Encodings', 'Content-Encoding: gzip\r\nContent-Encoding: identity\r\nContent-Length: 2\r\n', '{}'),
  post(
    'two lengths of the JSON part',
    'Inference-Header-Content-Length: 1\r\nInference-Header-Content-Length: 2\r\nContent-Length: 2\r\n',
    '{}',
  ),
  post('an expectation that is not 100-continue', 'Expect: the-unexpected\r\nContent-Length: 2\r\n', '{}'),
  get('a space before the colon', 'X-A : b\r\n'),
  get('a space in a field name', 'X A: b\r\n'),
  get('a field without a colon', 'X-A\r\n'),
  get('a field without a name', ': b\r\n'),
  get('a folded field', 'X-A: b\r\n c\r\n'),
  get('a NUL in a value', 'X-A: b\0c\r\n'),
  get('a NUL in a name', 'X-\0A: b\r\n'),
  get('a bare carriage return in a value', 'X-A: b\rX-B: c\r\n'),
  get('a bare line feed after a field', 'X-A: b\nX-B: c\r\n'),
  get('a control character in a value', 'X-A: b\x01c\r\n'),
  get('more bytes of header fields than allowed', `X-A: ${'a'.repeat(20_000)}\r\n`, 431),
  get('more header fields than allowed', 'a:b\r\n'.repeat(200), 431),
];

const LINES: readonly MalformedCase[] = [
  of('bare line feeds for all line ends', 'GET /v2 HTTP/1.1\nHost: x\n\n'),
  of('a method in lower case', 'get /v2 HTTP/1.1\r\nHost: x\r\n\r\n'),
  of('a method that nobody knows', 'BREW /v2 HTTP/1.1\r\nHost: x\r\n\r\n'),
  of('no method', ' /v2 HTTP/1.1\r\nHost: x\r\n\r\n'),
  of('CONNECT', 'CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n'),
  of('no version', 'GET /v2\r\nHost: x\r\n\r\n'),
  of('a version in lower case', 'GET /v2 http/1.1\r\nHost: x\r\n\r\n'),
  of('HTTP/0.9', 'GET /v2 HTTP/0.9\r\nHost: x\r\n\r\n'),
  of('HTTP/1.2', 'GET /v2 HTTP/1.2\r\nHost: x\r\n\r\n'),
  of('HTTP/2.0 in plain text', 'GET /v2 HTTP/2.0\r\nHost: x\r\n\r\n'),
  of('something behind the version', 'GET /v2 HTTP/1.1x\r\nHost: x\r\n\r\n'),
  of('the start of a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'),
  of('bytes that mean nothing', '\xff\xfe\xfd\xfc\r\n\r\n'),
  target('an absolute target', 'http://x/v2'),
  target('the target *', '*'),
  of('OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n'),
  target('a target without a slash', 'v2'),
  target('an empty segment', '/v2//models'),
  target('a target that begins with two slashes', '//v2'),
  target('a dot segment', '/v2/./models'),
  target('a double dot segment', '/v2/../admin'),
  target('a double dot segment at the end', '/v2/..'),
  target('a double dot segment with a parameter', '/v2/..;/admin'),
  target('an escaped dot', '/v2/%2e%2E/admin'),
  target('an escaped slash', '/v2/models%2Fm'),
  target('an escaped backslash', '/v2/models%5cm'),
  target('an escaped NUL', '/v2/models/m%00'),
  target('an escaped line end', '/v2/models/m%0d%0aX:y'),
  target('an escape of an escape', '/v2/%252e%252e/admin'),
  target('an escape that is none', '/v2/%zz'),
  target('an escape that is cut short', '/v2/%2'),
  target('a backslash', '/v2\\models'),
  target('a fragment', '/v2#models'),
  target('a byte beyond ASCII', '/v2/mod\xe9l'),
  target('a control character in the path', '/v2/\x01'),
  target('a fragment in the query', '/v2?a#b'),
];

export const MALFORMED: readonly MalformedCase[] = [...LENGTHS, ...ENCODINGS, ...FIELDS, ...LINES];

/** Streams of bytes that hold one request or more, and exactly what a Front may hear of them. */
export interface StreamCase {
  readonly what: string;
  readonly bytes: string;
  /** Method, path and body of what may be dispatched, in order. */
  readonly dispatched: readonly string[];
}

export const STREAMS: readonly StreamCase[] = [
  {
    what: 'a body that looks like a request',
    bytes: `${POST}Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
    dispatched: [`POST /v2/models/m/infer ${SMUGGLED}`],
  },
  { what: 'two good requests at once', bytes: `${GET}\r\n${GET}\r\n`, dispatched: ['GET /v2 ', 'GET /v2 '] },
  { what: 'empty lines before a request', bytes: `\r\n\r\n${GET}\r\n`, dispatched: ['GET /v2 '] },
  { what: 'a good request, then garbage', bytes: `${GET}\r\n\x01\x02\r\n\r\n${SMUGGLED}`, dispatched: ['GET /v2 '] },
  {
    what: 'a body longer than it says',
    bytes: `${POST}Content-Length: 2\r\n\r\n{}XYZ\r\n\r\n${SMUGGLED}`,
    dispatched: ['POST /v2/models/m/infer {}'],
  },
  { what: 'a request behind two Hosts', bytes: `${GET}Host: y\r\n\r\n${SMUGGLED}`, dispatched: [] },
  {
    what: 'a request behind a chunked one',
    bytes: `${POST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    dispatched: [],
  },
  { what: 'a request behind a bad path', bytes: `GET /a/../b HTTP/1.1\r\nHost: x\r\n\r\n${SMUGGLED}`, dispatched: [] },
  {
    what: 'a request behind a body on GET',
    bytes: `${GET}Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}${SMUGGLED}`,
    dispatched: [],
  },
  { what: 'a request behind a bad expectation', bytes: `${GET}Expect: nothing\r\n\r\n${SMUGGLED}`, dispatched: [] },
  { what: 'a request behind CONNECT', bytes: `CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n${SMUGGLED}`, dispatched: [] },
  { what: 'a request behind one that closes', bytes: `${GET}Connection: close\r\n\r\n${SMUGGLED}`, dispatched: ['GET /v2 '] },
  { what: 'a request behind HTTP/1.0', bytes: `GET /v2 HTTP/1.0\r\nHost: x\r\n\r\n${SMUGGLED}`, dispatched: ['GET /v2 '] },
  {
    what: 'a good request, then a chunked one, then another',
    bytes: `${GET}\r\n${POST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    dispatched: ['GET /v2 '],
  },
];
