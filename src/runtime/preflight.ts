import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { SecretSource } from '../config/fields.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import type { GrpcBackendConfig, HttpBackendConfig, OnnxBackendConfig } from '../config/model-schema.ts';
import { ConfigError, type ConfigProblem } from '../config/problem.ts';
import { SecretReader } from '../config/secrets.ts';
import { readAdminToken } from './admin-token.ts';
import { auditTargetProblem } from './audit-target.ts';
import { TlsFiles } from './tls-files.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** What a valid config names outside itself and what is not there: model files, secrets, certificates. Opens no port and no model. */
export function preflight(loaded: LoadedConfig, env: Env): ConfigProblem[] {
  return new Preflight(loaded, env).run();
}

class Preflight {
  readonly #loaded: LoadedConfig;
  readonly #secrets: SecretReader;
  readonly #tls: TlsFiles;
  readonly #problems: ConfigProblem[] = [];

  constructor(loaded: LoadedConfig, env: Env) {
    this.#loaded = loaded;
    this.#secrets = new SecretReader({ ...loaded, env });
    this.#tls = new TlsFiles(loaded.baseDir, loaded.file);
  }

  run(): ConfigProblem[] {
    const { listen, tenants, models, audit, rollouts } = this.#loaded.config;
    this.#try(() => this.#tls.face(listen.http.tls, 'listen.http.tls'));
    this.#try(() => this.#tls.face(listen.grpc.tls, 'listen.grpc.tls'));
    this.#try(() => this.#tls.pair(listen.admin.tls, 'listen.admin.tls'));
    this.#adminToken(listen.admin.token, 'listen.admin.token');
    listen.admin.tokens.forEach((token, t) => {
      if ('secret' in token) this.#adminToken(token.secret, `listen.admin.tokens.${t}.secret`);
    });
    tenants.forEach((tenant, t) => {
      tenant.keys.forEach((key, k) => {
        if ('secret' in key) this.#secret(key.secret, `tenants.${t}.keys.${k}.secret`);
      });
    });
    for (const [name, model] of Object.entries(models)) {
      model.variants.forEach(({ backend }, v) => {
        const path = `models.${name}.variants.${v}.backend`;
        if (backend.kind === 'onnx') this.#modelFile(backend, path);
        else this.#server(backend, path);
      });
    }
    rollouts.webhooks.forEach(({ secret }, w) => {
      if (secret !== null) this.#secret(secret, `rollouts.webhooks.${w}.secret`);
    });
    if (audit.file !== null) this.#auditFile(audit.file);
    return this.#problems;
  }

  #modelFile(backend: OnnxBackendConfig, path: string): void {
    const file = resolve(this.#loaded.baseDir, backend.path);
    if (!existsSync(file)) {
      this.#problems.push({ path: `${path}.path`, message: `found ${backend.path}, which does not exist` });
      return;
    }
    if (backend.sha256 === null) return;
    const found = createHash('sha256').update(readFileSync(file)).digest('hex');
    if (found !== backend.sha256) {
      this.#problems.push({ path: `${path}.sha256`, message: `the file's digest is ${found}; expected ${backend.sha256}` });
    }
  }

  #server(backend: GrpcBackendConfig | HttpBackendConfig, path: string): void {
    if (backend.credential !== null) this.#secret(backend.credential, `${path}.credential`);
    for (const key of ['caFile', 'certFile', 'keyFile'] as const) {
      const file = backend.tls?.[key] ?? null;
      if (file !== null) this.#try(() => this.#tls.read(file, `${path}.tls.${key}`));
    }
  }

  #adminToken(source: SecretSource, path: string): void {
    const place = { secrets: this.#secrets, source, path, configFile: this.#loaded.file };
    this.#try(() => readAdminToken(place, () => 'sla_made-at-start'));
  }

  #secret(source: SecretSource, path: string): void {
    this.#try(() => this.#secrets.read(source, path, () => 'made at start'));
  }

  #auditFile(file: string): void {
    const message = auditTargetProblem(file, resolve(this.#loaded.baseDir, file));
    if (message !== '') this.#problems.push({ path: 'audit.file', message });
  }

  #try(read: () => unknown): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.#problems.push(...error.problems);
    }
  }
}
