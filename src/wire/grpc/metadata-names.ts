/** Names of header fields that calls carry as metadata, and those that belong to something else. */

const NAME = /^[0-9a-z_.-]+$/;

/** Fields that belong to a connection or to gRPC itself, and the name under which a package would set the prototype of its headers. */
const RESERVED: ReadonlySet<string> = new Set([
  '__proto__',
  'connection',
  'content-length',
  'content-type',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** `name` is lower case. */
export function isCarried(name: string): boolean {
  return NAME.test(name) && !RESERVED.has(name) && !name.startsWith('grpc-') && !name.endsWith('-bin');
}
