import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { grpcType } from './clients.ts';
import { FaultProxy } from './fault-proxy.ts';

/** The most that HTTP/2 lets a window be. */
const MAX_WINDOW_BYTES = 0x7fffffff;
/** Of all answers of a connection that then takes nothing more. */
const STUCK_AFTER_BYTES = 65_536;

/** Inferences of model `http` over one HTTP/2 connection whose client does not take their answers. */
export class UnreadCalls {
  /** Calls whose answer has come to its end. */
  whole = 0;
  readonly #session: ClientHttp2Session;
  readonly #proxy: FaultProxy | null;

  /** The client asks, and gives its streams no more room than they begin with. */
  static ofFullStreams(this: void, address: string, key: string, count: number): Promise<UnreadCalls> {
    const session = connect(`http://${address}`);
    const calls = new UnreadCalls(session, null);
    for (let i = 0; i < count; i++) calls.#begin(key);
    return Promise.resolve(calls);
  }

  /** Windows are as wide as they get, and the connection below stops taking bytes. */
  static async ofStuckConnection(this: void, address: string, key: string, count: number): Promise<UnreadCalls> {
    const proxy = await FaultProxy.start(address);
    const session = connect(`http://${proxy.address}`, { settings: { initialWindowSize: MAX_WINDOW_BYTES } });
    await new Promise<void>((resolve) => session.once('remoteSettings', () => resolve()));
    session.setLocalWindowSize(MAX_WINDOW_BYTES);
    proxy.set('answer', { is: 'hang', at: STUCK_AFTER_BYTES });
    const calls = new UnreadCalls(session, proxy);
    for (let i = 0; i < count; i++) calls.#begin(key).resume();
    return calls;
  }

  private constructor(session: ClientHttp2Session, proxy: FaultProxy | null) {
    this.#session = session;
    this.#proxy = proxy;
    session.on('error', () => undefined);
  }

  async close(): Promise<void> {
    this.#session.destroy();
    await this.#proxy?.close();
  }

  #begin(key: string): ClientHttp2Stream {
    const type = grpcType('ModelInferRequest');
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 2] }];
    const message = type.encode(type.fromObject({ model_name: 'http', inputs, raw_input_contents: [Buffer.alloc(8)] })).finish();
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': '/inference.GRPCInferenceService/ModelInfer',
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization: `Bearer ${key}`,
    });
    stream.on('error', () => undefined);
    stream.on('trailers', (trailers) => {
      if (trailers['grpc-status'] === '0') this.whole++;
    });
    stream.end(Buffer.concat([head, message]));
    return stream;
  }
}
