import { Metadata } from '@grpc/grpc-js';

/**
 * Header fields (name, value, name, value) as gRPC metadata. What metadata cannot carry is left out: the package throws on it, or
 * HTTP/2 does later and then takes the process along.
 */
export function toMetadata(pairs: readonly string[]): Metadata {
  const metadata = new Metadata();
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const name = pairs[i]!.toLowerCase();
    if (isCarried(name) && VALUE.test(pairs[i + 1]!)) metadata.add(name, pairs[i + 1]!);
  }
  return metadata;
}

const NAME = /^[0-9a-z_.-]+$/;
const VALUE = /^[ -~]*$/;

/** Fields that belong to a connection or to gRPC itself, and the name under which the package would set the prototype of its headers. */
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

function isCarried(name: string): boolean {
  return NAME.test(name) && !RESERVED.has(name) && !name.startsWith('grpc-') && !name.endsWith('-bin');
}
