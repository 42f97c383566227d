import { H2Server } from '../http2/server/h2-server.ts';
import type { GrpcAcceptors, GrpcServer, GrpcServerOptions } from './grpc-server.ts';
import type { GrpcEngine } from './open-channel.ts';
import { PackageServer } from './package-server.ts';

export function openGrpcServer(engine: GrpcEngine, options: GrpcServerOptions, acceptors: GrpcAcceptors): GrpcServer {
  return engine === 'own' ? new H2Server(options, acceptors) : new PackageServer(options, acceptors);
}
