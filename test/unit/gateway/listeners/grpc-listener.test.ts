import { grpcListenerContract } from '../../../support/contracts/grpc-listener-contract.ts';

grpcListenerContract('grpc-js');
grpcListenerContract('own');
