import { FieldReader, MAX_TEXT_BYTES } from './field-reader.ts';
import { finish, newWriter, writeCount } from './message-writer.ts';

/** The messages of grpc.health.v1. */

export const ServingStatus = { Unknown: 0, Serving: 1, NotServing: 2, ServiceUnknown: 3 } as const;
export type ServingStatus = (typeof ServingStatus)[keyof typeof ServingStatus];

/** The service that a HealthCheckRequest asks about, empty for the whole server; or why it is refused. */
export function decodeHealthCheckRequest(bytes: Uint8Array): { readonly service: string } | string {
  const reader = new FieldReader(bytes, 'HealthCheckRequest');
  let seen = 0;
  let service = '';
  while (reader.next()) {
    if (reader.field === 1) {
      seen = reader.once(seen);
      service = reader.text(MAX_TEXT_BYTES);
    } else reader.skip();
  }
  return reader.problem === '' ? { service } : reader.problem;
}

/** HealthCheckResponse. */
export function encodeHealthStatus(status: ServingStatus): Buffer {
  const writer = newWriter();
  writeCount(writer, 1, status);
  return finish(writer);
}

/** The status of a HealthCheckResponse that was written here. */
export function readHealthStatus(bytes: Uint8Array): number {
  const reader = new FieldReader(bytes, 'HealthCheckResponse');
  let status = 0;
  while (reader.next()) {
    if (reader.field === 1 && reader.expect(0)) status = Number(reader.unsigned());
    else reader.skip();
  }
  return status;
}
