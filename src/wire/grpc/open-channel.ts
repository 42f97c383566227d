import { H2Channel } from '../http2/client/h2-channel.ts';
import type { GrpcChannel, GrpcChannelOptions } from './grpc-channel.ts';
import { PackageChannel } from './package-channel.ts';

/** `own` is HTTP/2 of this repository, `grpc-js` the package. Both keep the same contract. */
export type GrpcEngine = 'own' | 'grpc-js';

export function openGrpcChannel(engine: GrpcEngine, options: GrpcChannelOptions): GrpcChannel {
  return engine === 'own' ? new H2Channel(options) : new PackageChannel(options);
}
