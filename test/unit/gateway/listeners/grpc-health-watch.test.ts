import { grpcHealthWatchContract } from '../../../support/contracts/grpc-health-watch-listener-contract.ts';

grpcHealthWatchContract('grpc-js');
grpcHealthWatchContract('own');
