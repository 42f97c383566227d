import { PackageChannel } from '../../../src/wire/grpc/package-channel.ts';
import { H2Channel } from '../../../src/wire/http2/client/h2-channel.ts';
import { grpcChannelTlsContract } from '../../support/contracts/grpc-channel-tls-contract.ts';

grpcChannelTlsContract('PackageChannel', (options) => new PackageChannel(options));
grpcChannelTlsContract('H2Channel', (options) => new H2Channel(options));
