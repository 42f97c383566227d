import { grpcListenerTlsContract } from '../../../support/contracts/grpc-listener-tls-contract.ts';

grpcListenerTlsContract('grpc-js');
grpcListenerTlsContract('own');
