import { grpcStreamListenerContract } from '../../../support/contracts/grpc-stream-listener-contract.ts';

grpcStreamListenerContract('grpc-js');
grpcStreamListenerContract('own');
