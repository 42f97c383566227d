import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

/** The package's own reflection over the .proto files: an independent opinion on what bytes mean. */

const PROTO = fileURLToPath(new URL('../../../../proto/', import.meta.url));
const root = new protobuf.Root().loadSync(
  ['open_inference_grpc.proto', 'grpc/health/v1/health.proto', 'grpc/reflection/v1/reflection.proto'].map((file) => PROTO + file),
  { keepCase: true },
);

/** Plain fields by their name in the .proto; 64-bit integers are decimal strings. */
// biome-ignore lint/suspicious/noExplicitAny: what reflection gives is only known to the .proto file.
export type Plain = Record<string, any>;

export function stockEncode(message: string, fields: Plain): Buffer {
  const type = typeOf(message);
  return Buffer.from(type.encode(type.fromObject(fields)).finish());
}

export function stockDecode(message: string, bytes: Uint8Array): Plain {
  const type = typeOf(message);
  return type.toObject(type.decode(bytes), { longs: String, arrays: true, objects: true });
}

/** A message by its name in the protocol's package, or with a package of its own. */
function typeOf(message: string): protobuf.Type {
  return root.lookupType(message.includes('.') ? message : `inference.${message}`);
}
