import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadedConfig } from '../config/load-config.ts';
import type { Supervisor } from '../runtime/supervisor/supervisor.ts';

export interface Ports {
  readonly http: number;
  readonly grpc: number;
  readonly admin: number;
}

/** What `serve` prints when it is up: addresses, generated secrets, and lines to paste into a shell. */
export function banner(ports: Ports, loaded: LoadedConfig, gateway: Pick<Supervisor, 'generated'>): string {
  const { http, grpc } = loaded.config.listen;
  const scheme = http.tls === null ? 'http' : 'https';
  const httpUrl = `${scheme}://${bracketed(http.host)}:${ports.http}`;
  const adminUrl = adminUrlOf(loaded, ports.admin);
  const lines = [
    'Sluice is serving.',
    `  HTTP   ${httpUrl}`,
    `  gRPC   ${bracketed(grpc.host)}:${ports.grpc}`,
    `  admin  ${adminUrl}`,
    '',
  ];
  const keys = gateway.generated.entries.filter(([name]) => name.startsWith('key.'));
  keys.forEach(([name, key], i) => {
    lines.push(i === 0 ? `demo key: ${key}` : `key of ${name.split('.')[1]}: ${key}`);
  });
  const token = gateway.generated.get('admin.token');
  if (token !== null) lines.push(`admin token: ${token}`);
  for (const [name, value] of gateway.generated.entries) {
    if (name.startsWith('admin.token.')) lines.push(`admin token of ${name.slice('admin.token.'.length)}: ${value}`);
  }
  lines.push('', ...curlLines(httpUrl, adminUrl, loaded, keys[0]?.[1] ?? '$SLUICE_KEY'));
  return lines.join('\n');
}

/** Where the admin API answers. */
export function adminUrlOf(loaded: LoadedConfig, port: number): string {
  const { host, tls } = loaded.config.listen.admin;
  return `${tls === null ? 'http' : 'https'}://${bracketed(host)}:${port}`;
}

function curlLines(httpUrl: string, adminUrl: string, loaded: LoadedConfig, key: string): string[] {
  const lines: string[] = [];
  for (const model of Object.keys(loaded.config.models)) {
    const sample = join(loaded.baseDir, 'samples', `${model}.json`);
    if (!existsSync(sample)) continue;
    lines.push(
      `curl -s ${httpUrl}/v2/models/${model}/infer -H 'authorization: Bearer ${key}' -H 'content-type: application/json' -d @'${sample}'`,
    );
    break;
  }
  lines.push(`curl -s ${adminUrl}/metrics`);
  return lines;
}

/** IPv6 addresses stand in brackets in a URL. */
const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);
