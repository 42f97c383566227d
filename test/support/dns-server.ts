import { createSocket, type Socket } from 'node:dgram';

/** What the server says of its one name. */
export type NameState =
  | { readonly is: 'addresses'; readonly ips: readonly string[] }
  /** The name is there and stands for nothing. */
  | { readonly is: 'empty' }
  | { readonly is: 'unknown' }
  | { readonly is: 'broken' }
  /** No answer at all. */
  | { readonly is: 'silent' };

const PORT = 53;
const HEAD_BYTES = 12;
const TYPE_A = 1;
const RESPONSE = 0x8180; // an answer, recursion desired and available
const CODE: Readonly<Record<Exclude<NameState['is'], 'silent'>, number>> = { addresses: 0, empty: 0, broken: 2, unknown: 3 };

/** A name server on loopback that knows one name, and a test decides what of it. It has IPv4 addresses alone. */
export class DnsServer {
  readonly ip: string;
  state: NameState = { is: 'empty' };
  /** Questions for IPv4 addresses so far. */
  asked = 0;
  readonly #socket: Socket;

  /** Rejects where this process may not have the port that all resolvers ask. */
  static start(ip: string): Promise<DnsServer> {
    const server = new DnsServer(ip);
    return new Promise((resolve, reject) => {
      server.#socket.once('error', reject);
      server.#socket.bind(PORT, ip, () => resolve(server));
    });
  }

  private constructor(ip: string) {
    this.ip = ip;
    this.#socket = createSocket('udp4').unref();
    this.#socket.on('message', (query, { address, port }) => {
      const answer = this.#answer(query);
      if (answer !== null) this.#socket.send(answer, port, address);
    });
  }

  close(): void {
    this.#socket.close();
  }

  #answer(query: Buffer): Buffer | null {
    const end = query.indexOf(0, HEAD_BYTES) + 5;
    const isIpv4 = query.readUInt16BE(end - 4) === TYPE_A;
    if (isIpv4) this.asked++;
    const { state } = this;
    if (state.is === 'silent') return null;
    const ips = state.is === 'addresses' && isIpv4 ? state.ips : [];
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt16BE(query.readUInt16BE(0), 0);
    head.writeUInt16BE(RESPONSE | CODE[state.is], 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(ips.length, 6);
    return Buffer.concat([head, query.subarray(HEAD_BYTES, end), ...ips.map(record)]);
  }
}

/** The name of the question, A, IN, no second to live, four bytes. */
function record(ip: string): Buffer {
  return Buffer.from([0xc0, HEAD_BYTES, 0, TYPE_A, 0, 1, 0, 0, 0, 0, 0, 4, ...ip.split('.').map(Number)]);
}
