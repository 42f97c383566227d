import { join, resolve } from 'node:path';
import protobuf from 'protobufjs';

/** The messages of connectrpc/conformance, read from the .proto files that its module brings along. */

const DIR = resolve(import.meta.dirname, '../../../.peers/wire/conformance-proto');
const PACKAGE = 'connectrpc.conformance.v1';

const root = new protobuf.Root();
root.resolvePath = (_origin, target) => (target.startsWith('/') ? target : join(DIR, target));
for (const file of ['service', 'client_compat', 'server_compat']) {
  root.loadSync(join(DIR, `connectrpc/conformance/v1/${file}.proto`), { keepCase: false });
}

export interface Header {
  readonly name: string;
  readonly value: readonly string[];
}

export interface AnyMessage {
  readonly type_url: string;
  readonly value: Uint8Array;
}

export interface RpcError {
  readonly code: number;
  readonly message?: string;
}

/** Of one answer, or of many. */
export interface Definition {
  readonly responseHeaders: readonly Header[];
  readonly responseData: Uint8Array | readonly Uint8Array[];
  readonly responseTrailers: readonly Header[];
  readonly responseDelayMs: number;
  readonly error: RpcError | null;
}

export interface Request {
  readonly responseDefinition: Definition | null;
  readonly fullDuplex?: boolean;
}

export function decode<T>(type: string, bytes: Uint8Array): T {
  return root.lookupType(`${PACKAGE}.${type}`).decode(bytes) as unknown as T;
}

export function encode(type: string, value: object): Buffer {
  const of = root.lookupType(`${PACKAGE}.${type}`);
  return Buffer.from(of.encode(of.fromObject(value as Record<string, unknown>)).finish());
}

export const anyOf = (type: string, value: Uint8Array): AnyMessage => ({
  type_url: `type.googleapis.com/${PACKAGE}.${type}`,
  value,
});

/** Name, value, name, value: as our interfaces have them. */
export const pairsOf = (headers: readonly Header[]): string[] =>
  headers.flatMap(({ name, value }) => value.flatMap((one) => [name.toLowerCase(), one]));

const SIZE_BYTES = 4;

/** Calls back with each message that standard input brings behind its size. */
export function readMessages(onMessage: (bytes: Buffer) => void, onEnd: () => void): void {
  let rest: Buffer = Buffer.alloc(0);
  process.stdin.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= SIZE_BYTES) {
      const end = SIZE_BYTES + rest.readUInt32BE(0);
      if (rest.length < end) return;
      onMessage(rest.subarray(SIZE_BYTES, end));
      rest = rest.subarray(end);
    }
  });
  process.stdin.on('end', onEnd);
}

export function writeMessage(bytes: Uint8Array): void {
  const size = Buffer.alloc(SIZE_BYTES);
  size.writeUInt32BE(bytes.length);
  process.stdout.write(Buffer.concat([size, bytes]));
}
