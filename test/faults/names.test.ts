import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GrpcCaller, inferRest } from '../support/clients.ts';
import { TENANTS } from '../support/configs.ts';
import { DnsServer, type NameState } from '../support/dns-server.ts';
import { MODEL } from '../support/fault-scene.ts';
import { startTwins } from '../support/fault-servers.ts';
import { admin, eventually, type GatewayUnderTest, startGateway } from '../support/gateway-under-test.ts';

const NAME = 'backend.sluice.test';
const OTHER_IP = '127.0.0.2';
/** Nobody's else: resolvers of the machine itself are at 127.0.0.53 and .54. */
const DNS_IP = '127.0.77.53';
const RESOLVE_MS = 100;
/** Where a name server may be had on its port, and a process may have a resolver configuration of its own. */
const dns = await DnsServer.start(DNS_IP).catch(() => null);
const canMount = ((): boolean => {
  try {
    execFileSync('unshare', ['-m', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** Stands at another address of loopback, on the port of a server, and leads there. */
async function alias(port: number): Promise<{ server: Server; taken: () => number }> {
  let taken = 0;
  const server = createServer((near) => {
    taken++;
    const far = connect(port, '127.0.0.1');
    near.pipe(far).pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
  });
  await new Promise<void>((done) => server.listen(port, OTHER_IP, done));
  return { server, taken: () => taken };
}

describe.runIf(dns !== null && canMount)('a name of backends, as the system looks it up', () => {
  let dir: string;
  let servers: Awaited<ReturnType<typeof startTwins>>;
  let aliases: readonly Awaited<ReturnType<typeof alias>>[];
  let gateway: GatewayUnderTest;
  let grpc: GrpcCaller;
  beforeAll(async () => {
    dns!.state = { is: 'addresses', ips: ['127.0.0.1'] };
    dir = mkdtempSync(join(tmpdir(), 'sluice-names-'));
    const file = join(dir, 'resolv.conf');
    writeFileSync(file, `nameserver ${DNS_IP}\noptions timeout:1 attempts:1\n`);
    servers = await startTwins([MODEL]);
    aliases = await Promise.all([alias(servers.http.port), alias(servers.grpc.port)]);
    const variants = (backend: object): object => ({
      variants: [{ name: 'v1', role: 'stable', backend: { ...backend, model: MODEL.name, resolveMs: RESOLVE_MS } }],
    });
    const models = {
      http: variants({ kind: 'http', endpoints: [`http://${NAME}:${servers.http.port}`] }),
      grpc: variants({ kind: 'grpc', endpoints: [`${NAME}:${servers.grpc.port}`] }),
    };
    const launcher = ['unshare', '-m', 'sh', '-c', `mount --bind ${file} /etc/resolv.conf && exec "$@"`, 'sh'];
    gateway = await startGateway({ tenants: TENANTS, models }, {}, launcher);
    grpc = new GrpcCaller(gateway.grpcAddress, gateway.keys['alpha']!);
    await eventually('both are ready', async () => {
      const { backends } = await admin<{ backends: readonly { readiness: string }[] }>(gateway, 'GET', 'backends');
      return backends.length === 2 && backends.every(({ readiness }) => readiness === 'ready');
    });
  });
  afterAll(async () => {
    grpc.close();
    expect(await gateway.stop()).toBe(0);
    for (const { server } of aliases) server.close();
    await Promise.all([servers.http.close(), servers.grpc.close()]);
    dns!.close();
    rmSync(dir, { recursive: true });
  });

  /** What one request for each kind of backend comes to. */
  async function ask(): Promise<readonly number[]> {
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 2] }];
    const rest = await inferRest(gateway, {
      key: gateway.keys['alpha']!,
      model: 'http',
      inputs: [{ ...inputs[0]!, data: [1, 2] }],
    });
    const call = await grpc.call('ModelInfer', { model_name: 'grpc', inputs, raw_input_contents: [Buffer.alloc(8)] });
    return [rest.status, call.code];
  }

  /** Asks on and on until the name has been looked up some times since. */
  async function askWhile(state: NameState): Promise<void> {
    dns!.state = state;
    const before = dns!.asked;
    while (dns!.asked < before + 6) expect(await ask()).toEqual([200, 0]);
  }

  it.each<NameState>([{ is: 'empty' }, { is: 'unknown' }, { is: 'broken' }, { is: 'silent' }])(
    'that is $is for a while costs no request: the addresses it had last stay in use',
    async (state) => {
      await askWhile(state);
      await eventually('the log line', () => gateway.output().includes('endpoint name unresolved'));
      await askWhile({ is: 'addresses', ips: ['127.0.0.1'] });
    },
  );

  it('that moves takes the calls along, and none is lost on the way there or back', async () => {
    await askWhile({ is: 'addresses', ips: [OTHER_IP] });
    await eventually('calls at the other address', async () => {
      expect(await ask()).toEqual([200, 0]);
      return aliases.every(({ taken }) => taken() > 0);
    });
    for (let i = 0; i < 5; i++) {
      await askWhile({ is: 'addresses', ips: ['127.0.0.1', OTHER_IP] });
      await askWhile({ is: 'empty' });
    }
    await askWhile({ is: 'addresses', ips: ['127.0.0.1'] });
  });
});
