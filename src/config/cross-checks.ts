import { checkAdminTokens } from './admin-token-schema.ts';
import type { SecretSource } from './fields.ts';
import { hostOf } from './host.ts';
import { isLoopback } from './loopback.ts';
import type { GrpcBackendConfig, HttpBackendConfig, ModelConfig } from './model-schema.ts';
import { fallbackProblems, pinProblems } from './plan-checks.ts';
import type { ConfigProblem } from './problem.ts';
import type { Config } from './schema.ts';

/** Rules between keys, which a schema of single keys cannot state. */
export function crossCheck(config: Config): ConfigProblem[] {
  return [
    ...checkSecrets(config),
    ...checkAdminTokens(config.listen.admin.tokens),
    ...checkFaces(config),
    ...checkTenants(config),
    ...checkModels(config),
  ];
}

/** A secret made at start is printed on the console: fit for loopback, never beyond. */
function checkSecrets(config: Config): ConfigProblem[] {
  const { http, grpc, admin } = config.listen;
  const open = [http, grpc, admin].filter((face) => !isLoopback(face.host)).map((face) => face.host);
  if (open.length === 0) return [];
  const problems: ConfigProblem[] = [];
  const check = (path: string, source: SecretSource): void => {
    if ('generate' in source) {
      problems.push({
        path,
        message: `a generated secret works on loopback only; found a listener on ${open[0]}; use env or file`,
      });
    }
  };
  check('listen.admin.token', admin.token);
  admin.tokens.forEach((token, t) => {
    if ('secret' in token) check(`listen.admin.tokens.${t}.secret`, token.secret);
  });
  config.tenants.forEach((tenant, t) => {
    tenant.keys.forEach((key, k) => {
      if ('secret' in key) check(`tenants.${t}.keys.${k}.secret`, key.secret);
    });
  });
  return problems;
}

/** What would refuse every request, or carry the admin token in clear text. */
function checkFaces({ limits, listen, tenants }: Config): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const tooSmall = (path: string, found: number): void => {
    if (found >= limits.maxBodyBytes) return;
    problems.push({ path, message: `found ${found}; expected at least limits.maxBodyBytes, ${limits.maxBodyBytes}` });
  };
  tooSmall('limits.maxInFlightBytes', limits.maxInFlightBytes);
  tenants.forEach((tenant, t) => {
    tooSmall(`tenants.${t}.maxInFlightBytes`, tenant.maxInFlightBytes);
  });
  if (!isLoopback(listen.admin.host) && listen.admin.tls === null) {
    const message = `the admin token would travel in clear text to ${listen.admin.host}; set certFile and keyFile, or listen on loopback`;
    problems.push({ path: 'listen.admin.tls', message });
  }
  return problems;
}

function checkTenants(config: Config): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const owners = new Map<string, string>();
  const ids = new Set<string>();
  config.tenants.forEach((tenant, t) => {
    if (ids.has(tenant.id))
      problems.push({ path: `tenants.${t}.id`, message: `found "${tenant.id}" twice; expected one tenant a name` });
    ids.add(tenant.id);
    tenant.keys.forEach((key, k) => {
      const path = `tenants.${t}.keys.${k}`;
      const owner = owners.get(key.id) ?? tenant.id;
      // Two live secrets under one id are a rotation, but only within one tenant.
      if (owner !== tenant.id)
        problems.push({ path: `${path}.id`, message: `found "${key.id}", which belongs to tenant "${owner}"` });
      owners.set(key.id, tenant.id);
      for (const model of key.models) {
        if (model === '*' || Object.hasOwn(config.models, model)) continue;
        problems.push({
          path: `${path}.models`,
          message: `found "${model}"; expected one of ${Object.keys(config.models).join(', ')} or "*"`,
        });
      }
    });
  });
  return problems;
}

function checkModels(config: Config): ConfigProblem[] {
  const names = Object.keys(config.models);
  const problems: ConfigProblem[] =
    names.length === 0 ? [{ path: 'models', message: 'found none; expected at least one model' }] : [];
  const tenants = new Set(config.tenants.map(({ id }) => id));
  for (const name of names) {
    const [path, model] = [`models.${name}`, config.models[name]!];
    const ofPlan = [
      ...pinProblems(model.pins, model.variants, tenants),
      ...fallbackProblems(model.fallbacks ?? [], model.variants),
    ];
    problems.push(...checkModel(path, model), ...ofPlan.map(({ path: key, message }) => ({ path: `${path}.${key}`, message })));
  }
  return problems;
}

function checkModel(path: string, model: ModelConfig): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const stable = model.variants.filter((variant) => variant.role === 'stable');
  if (stable.length !== 1) {
    problems.push({
      path: `${path}.variants`,
      message: `found ${stable.length} variants with role stable; expected exactly one`,
    });
  }
  const names = new Set<string>();
  model.variants.forEach((variant, v) => {
    for (const name of [variant.name, ...variant.labels]) {
      if (names.has(name)) problems.push({ path: `${path}.variants.${v}`, message: `found the name or label "${name}" twice` });
      names.add(name);
    }
    if (variant.role === 'stable' && variant.weight !== 0) {
      problems.push({
        path: `${path}.variants.${v}.weight`,
        message: 'found a weight on stable; expected none, since stable takes the rest',
      });
    }
    if (variant.role === 'shadow' && Object.values(variant.price).some((part) => typeof part === 'number' && part > 0)) {
      problems.push({
        path: `${path}.variants.${v}.price`,
        message: 'found a price on a shadow; expected none, since copies are billed to nobody',
      });
    }
    const { backend } = variant;
    if (backend.kind === 'onnx' && backend.batching !== null && !model.rowsAgree) {
      problems.push({
        path: `${path}.variants.${v}.backend.batching`,
        message: 'found batching beside rowsAgree: false; rows that do not agree cannot share a run, expected one of the two',
      });
    }
    if (backend.kind !== 'onnx') problems.push(...checkServer(`${path}.variants.${v}.backend`, backend));
  });
  problems.push(...checkRanges(path, model));
  if (model.comparison.tensors === 'values' && model.guards.output.length > 0) {
    problems.push({
      path: `${path}.comparison.tensors`,
      message: 'found "values" beside output guards, which kept values would go round; expected "hash" or "none"',
    });
  }
  const canaryBp = model.variants.reduce((sum, variant) => sum + (variant.role === 'canary' ? variant.weight : 0), 0);
  if (canaryBp > 10_000)
    problems.push({ path: `${path}.variants`, message: `canary weights sum to ${canaryBp / 100} %; expected at most 100` });
  for (const [side, guards] of Object.entries(model.guards)) {
    const seen = new Set<string>();
    guards.forEach((guard, g) => {
      if (seen.has(guard.name))
        problems.push({ path: `${path}.guards.${side}.${g}.name`, message: `found "${guard.name}" twice` });
      seen.add(guard.name);
    });
  }
  return problems;
}

/** What travels to a server, and whether anybody else can read it. */
function checkServer(path: string, backend: GrpcBackendConfig | HttpBackendConfig): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const { tls, credential } = backend;
  if (tls !== null && (tls.certFile === null) !== (tls.keyFile === null)) {
    problems.push({ path: `${path}.tls`, message: 'found one of certFile and keyFile; expected both or neither' });
  }
  const seen = new Set<string>();
  backend.endpoints.forEach((endpoint, e) => {
    if (seen.has(endpoint)) problems.push({ path: `${path}.endpoints.${e}`, message: `found ${endpoint} twice` });
    seen.add(endpoint);
  });
  const isPlain = (endpoint: string): boolean => (backend.kind === 'http' ? endpoint.startsWith('http://') : tls === null);
  const plain = backend.endpoints.filter(isPlain);
  if (backend.kind === 'http' && plain.length > 0 && tls !== null) {
    problems.push({ path: `${path}.tls`, message: `found beside ${plain[0]}; expected an https url, or no tls` });
  }
  const exposed = plain.find((endpoint) => !isLoopback(hostOf(endpoint)));
  if (exposed !== undefined && credential !== null) {
    const cure = backend.kind === 'http' ? 'use an https url' : 'set backend.tls';
    problems.push({ path: `${path}.credential`, message: `would travel in clear text to ${exposed}; ${cure}` });
  }
  return problems;
}

/** A least value above the greatest would refuse everything. */
function checkRanges(path: string, model: ModelConfig): ConfigProblem[] {
  const ranges = Object.entries(model.inputs).map(([input, { min, max }]) => ({ at: `${path}.inputs.${input}`, min, max }));
  for (const [side, guards] of Object.entries(model.guards)) {
    guards.forEach((guard, g) => {
      if (guard.kind === 'bounds') ranges.push({ at: `${path}.guards.${side}.${g}`, min: guard.min, max: guard.max });
    });
  }
  return ranges
    .filter(({ min, max }) => min !== null && max !== null && min > max)
    .map(({ at, min, max }) => ({
      path: `${at}.min`,
      message: `found ${min}, which is above max ${max}; expected at most that`,
    }));
}
