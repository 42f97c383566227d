import { Fault, type FaultKind } from '../../core/faults.ts';
import { GrpcStatus } from '../../core/grpc-status.ts';

const SPOILED: ReadonlyMap<number, FaultKind> = new Map([
  [GrpcStatus.ResourceExhausted, Fault.BodyTooLarge],
  [GrpcStatus.Unimplemented, Fault.MediaType],
]);

/** What the gRPC package has refused by itself, in the words of the catalogue. Anything else it finds wrong is malformed. */
export function spoiledBy(status: number): FaultKind {
  return SPOILED.get(status) ?? Fault.Malformed;
}
