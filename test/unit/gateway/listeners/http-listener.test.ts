import { HttpListener } from '../../../../src/gateway/listeners/http-listener.ts';
import { httpListenerContract } from '../../../support/contracts/http-listener-contract.ts';

httpListenerContract('HttpListener', (config, options, front) => new HttpListener(config, { tls: null, ...options }, front));
