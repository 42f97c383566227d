import { Metadata } from '@grpc/grpc-js';
import { isCarried } from './metadata-names.ts';

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

const VALUE = /^[ -~]*$/;
