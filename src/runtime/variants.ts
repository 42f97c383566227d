import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { priceSheetOf } from '../accounting/price.ts';
import { GrpcBackend } from '../backends/grpc/grpc-backend.ts';
import { HttpBackend } from '../backends/http/http-backend.ts';
import { OnnxBackend } from '../backends/onnx/onnx-backend.ts';
import type { OnnxHost } from '../backends/onnx/onnx-host.ts';
import type { GrpcBackendConfig, HttpBackendConfig, ModelConfig, VariantConfig } from '../config/model-schema.ts';
import type { QueueConfig } from '../config/overload-schema.ts';
import type { Config } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import type { Backend } from '../core/backend.ts';
import type { EndpointAddress } from '../core/endpoints.ts';
import type { GuardChain, Ruling } from '../core/guard.ts';
import type { Tally } from '../core/observer.ts';
import type { Offload } from '../core/offload.ts';
import { type Route, type Variant, VariantState } from '../core/traffic.ts';
import { buildOffloadedChain } from '../guards/offloaded-chain.ts';
import { type BalancingSources, balanced } from './balanced.ts';
import { callPolicyOf, gateOf } from './call-policies.ts';
import { firstPlan } from './first-plan.ts';
import { ReopeningBackend } from './reopening-backend.ts';
import type { TlsFiles } from './tls-files.ts';

export interface RouteSources extends BalancingSources {
  readonly tally: Tally;
  readonly host: OnnxHost;
  readonly offload: Offload;
  readonly secrets: Secrets;
  readonly tls: TlsFiles;
  /** Folder that model files are named from. */
  readonly baseDir: string;
}

/** Routes for every model of a config; their contracts come when their variants are warm. */
export function buildRoutes(config: Config, sources: RouteSources): Route[] {
  return Object.entries(config.models).map(([model, modelConfig]) => buildRoute(model, modelConfig, sources));
}

function buildRoute(model: string, config: ModelConfig, sources: RouteSources): Route {
  const built = config.variants.map((variant, v) => ({
    variant: buildVariant(
      { model, config: variant, queue: config.queue, timeoutMs: config.timeoutMs, path: `models.${model}.variants.${v}` },
      sources,
    ),
    weightBp: variant.weight,
  }));
  const inputGuards = guardsOf(model, config, 'input', sources);
  const outputGuards = guardsOf(model, config, 'output', sources);
  return {
    model,
    plan: firstPlan(model, built, config),
    contract: null,
    inputGuards,
    outputGuards,
    policy: policyOf(config, inputGuards, outputGuards),
    cacheTtlMs: config.cache === null ? 0 : config.cache.ttlMs,
    timeoutMs: config.timeoutMs,
    calls: callPolicyOf(config),
    stickyHeader: config.sticky.header,
    stickyByTenant: config.sticky.tenant,
  };
}

function guardsOf(model: string, config: ModelConfig, side: 'input' | 'output', sources: RouteSources): GuardChain | null {
  const onRuling = (guard: string, ruling: Ruling): void => sources.tally.ruling(model, side, guard, ruling);
  return buildOffloadedChain(config.guards[side], { model, side, onRuling }, sources.offload);
}

/** Digest of everything that judges this model's requests and answers: an answer judged by other rules is no answer. */
function policyOf(config: ModelConfig, input: GuardChain | null, output: GuardChain | null): string {
  const parts = JSON.stringify([input?.policy ?? '', output?.policy ?? '', config.inputs, config.maxRows, config.rowsAgree]);
  return createHash('sha256').update(parts).digest('base64url');
}

interface VariantOrigin {
  readonly model: string;
  readonly config: VariantConfig;
  readonly queue: QueueConfig | null;
  /** Longest that a request of the model may take. */
  readonly timeoutMs: number;
  /** Where it stands in the config. */
  readonly path: string;
}

function buildVariant(origin: VariantOrigin, sources: RouteSources): Variant {
  const { config, queue } = origin;
  const state = new VariantState();
  return {
    name: config.name,
    labels: config.labels,
    role: config.role,
    backend: buildBackend(origin, state, sources),
    price: priceSheetOf(config.price),
    gate: gateOf(config, queue, sources.clock),
    state,
  };
}

function buildBackend({ model, config, timeoutMs, path }: VariantOrigin, state: VariantState, sources: RouteSources): Backend {
  const { backend } = config;
  const { clock } = sources;
  const variant = { model, variant: config.name, state, timeoutMs };
  switch (backend.kind) {
    case 'onnx': {
      const options = {
        model,
        variant: config.name,
        path: resolve(sources.baseDir, backend.path),
        host: sources.host,
        clock,
        onBatch: (rows: number) => sources.tally.batch(model, config.name, rows),
      };
      return new ReopeningBackend(() => new OnnxBackend(backend, options));
    }
    case 'grpc': {
      const options = { model, clock, ...serverSecrets(backend, `${path}.backend`, sources) };
      const make = (endpoint: EndpointAddress): Backend => new GrpcBackend(backend, { ...options, endpoint });
      return new ReopeningBackend(() => balanced(backend, { ...variant, make }, sources));
    }
    case 'http': {
      const options = { model, clock, ...serverSecrets(backend, `${path}.backend`, sources) };
      const make = (endpoint: EndpointAddress): Backend => new HttpBackend(backend, { ...options, endpoint });
      return new ReopeningBackend(() => balanced(backend, { ...variant, make }, sources));
    }
    default:
      return backend satisfies never;
  }
}

function serverSecrets(config: GrpcBackendConfig | HttpBackendConfig, path: string, sources: RouteSources): ServerSecrets {
  const noDemo = (): string => {
    throw new Error(`${path}.credential: a generated secret is unknown to the server; use env or file`);
  };
  const credential = config.credential === null ? null : sources.secrets.read(config.credential, `${path}.credential`, noDemo);
  if (config.tls === null) return { credential, tls: null };
  const { caFile, certFile, keyFile, serverName } = config.tls;
  const read = (file: string | null, name: string): Buffer | null =>
    file === null ? null : sources.tls.read(file, `${path}.tls.${name}`);
  return {
    credential,
    tls: { ca: read(caFile, 'caFile'), cert: read(certFile, 'certFile'), key: read(keyFile, 'keyFile'), serverName },
  };
}

interface ServerSecrets {
  readonly credential: string | null;
  readonly tls: {
    readonly ca: Buffer | null;
    readonly cert: Buffer | null;
    readonly key: Buffer | null;
    readonly serverName: string | null;
  } | null;
}
