import type { BackendView, PlanView, VariantView } from '../../src/core/control-plane.ts';
import type { EndpointView } from '../../src/core/endpoints.ts';
import { GrpcCaller, inferRest } from './clients.ts';
import { TENANTS } from './configs.ts';
import { FaultProxy } from './fault-proxy.ts';
import { callsOf, type Servers, startTwins } from './fault-servers.ts';
import { admin, eventually, type GatewayUnderTest, metric, startGateway } from './gateway-under-test.ts';
import { echo, type OipHttpCall, startOipHttpServer } from './oip-http-server.ts';
import { answerEcho, type OipAnswer, type OipCall, startOipServer } from './oip-server.ts';
import type { HttpScript } from './scripted-http-server.ts';

/** A running gateway with a backend of each kind, each behind a fault proxy, and callers of each face. */

export type Face = 'rest' | 'grpc';
export type Kind = 'http' | 'grpc';

export const MODEL = {
  name: 'm',
  inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [-1, 2] }],
};

/** What the healthy variant beside a faulty canary asks the same server for. */
const HEALTHY = { ...MODEL, name: 'healthy' };

/** Each way through the gateway: the face that is asked, and the kind of backend behind it. */
export const WAYS: readonly (readonly [Face, Kind])[] = [
  ['rest', 'http'],
  ['rest', 'grpc'],
  ['grpc', 'http'],
  ['grpc', 'grpc'],
];

/** What a caller is told, whatever the face. */
export interface Told {
  /** OK, or the code of a fault. */
  readonly code: string;
  /** HTTP status, or gRPC status number. */
  readonly status: number;
  readonly variant: string;
  /** Seconds; empty when nothing is said. */
  readonly retryAfter: string;
  /** Everything that was said, for what must not be among it. */
  readonly text: string;
  readonly tookMs: number;
}

export interface Usage {
  readonly requests: number;
  readonly failures: number;
  readonly costNano: number;
}

/** Billed for each good answer. */
export const PRICE_NANO = 1_000;
const PRICE = { version: 'test', perRequestUsd: PRICE_NANO / 1e9 };

export interface SceneOptions {
  /** Added to every model. */
  readonly model?: Readonly<Record<string, unknown>>;
  /** Added to the backend of each kind. */
  readonly http?: Readonly<Record<string, unknown>>;
  readonly grpc?: Readonly<Record<string, unknown>>;
  /** Each model gets a healthy stable variant, and the faulty one is a canary with all the weight. */
  readonly canary?: boolean;
  /** Each variant has a second endpoint: a server of its own that no fault reaches. */
  readonly twins?: boolean;
  /** Added to the variants of model `http`. */
  readonly shadows?: readonly object[];
  /** Added to the whole config. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Added to the environment of the gateway. */
  readonly env?: Readonly<Record<string, string>>;
}

export class FaultScene {
  readonly gateway: GatewayUnderTest;
  readonly proxies: Readonly<Record<Kind, FaultProxy>>;
  readonly servers: Servers;
  /** The second endpoints; null without `twins`. */
  readonly twins: Servers | null;
  readonly #behaviour: Behaviour;
  readonly #grpc: GrpcCaller;

  /**
   * Models `http` and `grpc` have one variant, behind the proxy of that kind. With `canary` the stable one beside it is on the same
   * server, where no fault of the wire can reach it.
   */
  static async start(options: SceneOptions = {}): Promise<FaultScene> {
    const behaviour: Behaviour = { http: echo, grpc: answerEcho };
    const servers = {
      http: await startOipHttpServer({ models: [MODEL, HEALTHY], onInfer: (call) => behaviour.http(call, MODEL) }),
      grpc: await startOipServer({ models: [MODEL, HEALTHY], onInfer: (call) => behaviour.grpc(call, MODEL) }),
    };
    const proxies = { http: await FaultProxy.start(servers.http.url), grpc: await FaultProxy.start(servers.grpc.address) };
    const twins = options.twins === true ? await startTwins([MODEL, HEALTHY]) : null;
    const models = {
      http: modelOf(options, options.shadows ?? [], (proxied) => ({
        kind: 'http',
        endpoints: [proxied ? `http://${proxies.http.address}` : servers.http.url, ...(twins === null ? [] : [twins.http.url])],
        model: proxied ? MODEL.name : HEALTHY.name,
        ...options.http,
      })),
      grpc: modelOf(options, [], (proxied) => ({
        kind: 'grpc',
        endpoints: [proxied ? proxies.grpc.address : servers.grpc.address, ...(twins === null ? [] : [twins.grpc.address])],
        model: proxied ? MODEL.name : HEALTHY.name,
        ...options.grpc,
      })),
    };
    const gateway = await startGateway({ tenants: TENANTS, models, ...options.config }, options.env);
    const scene = new FaultScene(gateway, proxies, servers, twins, behaviour);
    for (const kind of ['http', 'grpc'] as const) {
      await eventually(`${kind} is ready`, async () => (await scene.variants(kind)).every((each) => each.readiness === 'ready'));
    }
    return scene;
  }

  private constructor(
    gateway: GatewayUnderTest,
    proxies: FaultScene['proxies'],
    servers: Servers,
    twins: Servers | null,
    behaviour: Behaviour,
  ) {
    this.gateway = gateway;
    this.proxies = proxies;
    this.servers = servers;
    this.twins = twins;
    this.#behaviour = behaviour;
    this.#grpc = new GrpcCaller(gateway.grpcAddress, this.key);
  }

  get key(): string {
    return this.gateway.keys['alpha']!;
  }

  /** What the servers do with an inference from now on. */
  behave(how: { readonly http?: Behaviour['http']; readonly grpc?: Behaviour['grpc'] }): void {
    this.#behaviour.http = how.http ?? echo;
    this.#behaviour.grpc = how.grpc ?? answerEcho;
  }

  /** Everything works again. */
  async heal(): Promise<void> {
    this.behave({});
    await Promise.all([this.proxies.http.heal(), this.proxies.grpc.heal()]);
  }

  /** Everything works again, and the circuits that opened meanwhile are closed. */
  async recover(): Promise<void> {
    await this.heal();
    await Promise.all([this.recoveryMs('rest', 'http'), this.recoveryMs('grpc', 'grpc')]);
  }

  /** One inference; `mark` is its first number, `sequence` the number of the sequence that it begins. */
  async ask(
    face: Face,
    model: string,
    headers: Readonly<Record<string, string>> = {},
    mark = 1,
    sequence: number | null = null,
  ): Promise<Told> {
    const startedMs = performance.now();
    const told = await (face === 'rest'
      ? this.#askRest(model, headers, mark, sequence)
      : this.#askGrpc(model, headers, mark, sequence));
    return { ...told, tookMs: performance.now() - startedMs };
  }

  async #askRest(model: string, headers: Headers, mark: number, sequence: number | null): Promise<Omit<Told, 'tookMs'>> {
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [mark, 2] }];
    const parameters = sequence === null ? {} : { sequence_id: sequence, sequence_start: true };
    const asked = { key: this.key, model, inputs, headers, parameters };
    const { status, headers: fields, body } = await inferRest(this.gateway, asked);
    return {
      code: status === 200 ? 'OK' : String(body['code']),
      status,
      variant: fields.get('x-sluice-variant') ?? '',
      retryAfter: fields.get('retry-after') ?? '',
      text: JSON.stringify([body, [...fields]]),
    };
  }

  async #askGrpc(model: string, headers: Headers, mark: number, sequence: number | null): Promise<Omit<Told, 'tookMs'>> {
    const begin = { sequence_id: { int64_param: sequence }, sequence_start: { bool_param: true } };
    const request = {
      model_name: model,
      parameters: sequence === null ? {} : begin,
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2] }],
      raw_input_contents: [Buffer.from(Float32Array.of(mark, 2).buffer)],
    };
    const { code, details, metadata, message } = await this.#grpc.call('ModelInfer', request, headers);
    const field = (name: string): string => String(metadata.get(name)[0] ?? '');
    return {
      code: code === 0 ? 'OK' : field('x-sluice-fault'),
      status: code,
      variant: field('x-sluice-variant'),
      retryAfter: field('retry-after'),
      text: JSON.stringify([details, metadata.getMap(), message]),
    };
  }

  async variants(model: string): Promise<readonly VariantView[]> {
    return (await admin<PlanView>(this.gateway, 'GET', `plans/${model}`)).variants;
  }

  /** The endpoint behind the proxy, as the balancer sees it. */
  async faulty(kind: Kind): Promise<EndpointView> {
    const { backends } = await admin<{ backends: readonly BackendView[] }>(this.gateway, 'GET', 'backends');
    const { endpoints } = backends.find(({ model }) => model === kind)!;
    return endpoints.find(({ endpoint }) => endpoint.includes(this.proxies[kind].address))!;
  }

  /** Of all tenants, for one model. */
  async usage(model: string): Promise<Usage> {
    const { usage } = await admin<{ usage: readonly (Record<string, unknown> & { model: string })[] }>(
      this.gateway,
      'GET',
      'usage',
    );
    const sum = (field: string): number =>
      usage.filter((each) => each.model === model).reduce((total, each) => total + Number(each[field]), 0);
    return { requests: sum('requests'), failures: sum('failures'), costNano: sum('cost') };
  }

  /** Inferences that have reached the server of a kind. */
  calls(kind: Kind): number {
    return callsOf(this.servers, kind);
  }

  /** The same for its twin. */
  twinCalls(kind: Kind): number {
    return callsOf(this.twins!, kind);
  }

  /** Resolves when nothing is in flight anywhere: no request, no call, no byte held. */
  async idle(): Promise<void> {
    await eventually('no request in flight', async () => (await metric(this.gateway, 'sluice_requests_in_flight')) === 0);
    for (const model of ['http', 'grpc']) {
      await eventually('no call in flight', async () => (await this.variants(model)).every((each) => each.inFlight === 0));
    }
    await eventually('no byte held', async () => (await metric(this.gateway, 'sluice_body_bytes_in_flight')) === 0);
  }

  /** Milliseconds until the first good answer, asking again and again. */
  async recoveryMs(face: Face, model: string, variant = 'v1'): Promise<number> {
    const startedMs = performance.now();
    await eventually(`${model} answers`, async () => {
      const told = await this.ask(face, model);
      return told.code === 'OK' && told.variant === variant;
    });
    return performance.now() - startedMs;
  }

  /** The gateway must end as it should after all that was done to it. */
  async stop(): Promise<number | null> {
    const code = await this.gateway.stop();
    this.#grpc.close();
    await Promise.all([this.proxies.http.close(), this.proxies.grpc.close()]);
    await Promise.all([this.servers, this.twins].flatMap((each) => [each?.http.close(), each?.grpc.close()]));
    return code;
  }
}

type Headers = Readonly<Record<string, string>>;

interface Behaviour {
  http: (call: OipHttpCall, model: typeof MODEL) => HttpScript | Promise<HttpScript>;
  grpc: (call: OipCall, model: typeof MODEL) => OipAnswer | Promise<OipAnswer>;
}

function modelOf(options: SceneOptions, shadows: readonly object[], backend: (proxied: boolean) => object): object {
  const variant = (name: string, role: string, proxied: boolean): object => ({
    name,
    role,
    price: PRICE,
    backend: backend(proxied),
  });
  const variants =
    options.canary === true
      ? [variant('healthy', 'stable', false), { ...variant('v1', 'canary', true), weight: 100 }]
      : [variant('v1', 'stable', true)];
  return { variants: [...variants, ...shadows], ...options.model };
}
