import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

/** The package's own reflection over the .proto file: an independent opinion on what bytes mean. */

const PROTO = fileURLToPath(new URL('../../../../proto/open_inference_grpc.proto', import.meta.url));
const root = new protobuf.Root().loadSync(PROTO, { keepCase: true });

/** Plain fields by their name in the .proto; 64-bit integers are decimal strings. */
// biome-ignore lint/suspicious/noExplicitAny: what reflection gives is only known to the .proto file.
export type Plain = Record<string, any>;

export function stockEncode(message: string, fields: Plain): Buffer {
  const type = root.lookupType(`inference.${message}`);
  return Buffer.from(type.encode(type.fromObject(fields)).finish());
}

export function stockDecode(message: string, bytes: Uint8Array): Plain {
  const type = root.lookupType(`inference.${message}`);
  return type.toObject(type.decode(bytes), { longs: String, arrays: true, objects: true });
}
