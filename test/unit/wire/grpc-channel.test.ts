import { PackageChannel } from '../../../src/wire/grpc/package-channel.ts';
import { H2Channel } from '../../../src/wire/http2/client/h2-channel.ts';
import { grpcChannelContract } from '../../support/contracts/grpc-channel-contract.ts';
import { grpcStreamContract } from '../../support/contracts/grpc-stream-contract.ts';

grpcChannelContract('PackageChannel', (options) => new PackageChannel(options));
grpcChannelContract('H2Channel', (options) => new H2Channel(options));
grpcStreamContract('PackageChannel', (options) => new PackageChannel(options));
grpcStreamContract('H2Channel', (options) => new H2Channel(options));
