/** The two configs of the demo, both made from config/demo.yaml: the gateway itself, and the server that its canary runs on. */

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

interface DemoVariant {
  readonly name: string;
  readonly role: string;
  readonly backend: Readonly<Record<string, unknown>>;
}

interface DemoModel {
  readonly variants: readonly DemoVariant[];
}

interface DemoTenant {
  readonly id: string;
}

/** As far as the demo looks into the file; everything else goes through as it is. */
interface DemoConfig {
  readonly tenants: readonly DemoTenant[];
  readonly models: Readonly<Record<string, DemoModel>>;
}

const FILE = fileURLToPath(new URL('../../config/demo.yaml', import.meta.url));

export const CANARY = { model: 'digits', variant: 'v2', percent: 20 };
/** The tenant under which the gateway calls the canary's server. */
export const CANARY_TENANT = { id: 'gateway', keyId: 'gateway1' };
/** The environment variable that hands its key to the gateway. */
export const CANARY_KEY_ENV = 'SLUICE_DEMO_CANARY_KEY';

/** Slow enough to be overrun on any machine. */
const ACME_RATE = { requestsPerSecond: 5, burst: 40 };

/** A server for the canary's model file and nothing else. Without a cache, so that each call is a run of the model. */
export function canaryServerConfig(): Readonly<Record<string, unknown>> {
  const canary = readDemo().models[CANARY.model]!.variants.find((variant) => variant.name === CANARY.variant)!;
  return {
    workers: 1,
    tenants: [
      {
        id: CANARY_TENANT.id,
        rate: { requestsPerSecond: 100_000, burst: 100_000 },
        keys: [{ id: CANARY_TENANT.keyId, secret: { generate: true } }],
      },
    ],
    models: { [CANARY.model]: { variants: [{ name: canary.name, role: 'stable', backend: canary.backend }] } },
  };
}

/** The demo's own config, but for the canary's backend and share, tenant acme's rate, and the ports. */
export function gatewayConfig(canaryAddress: string): Readonly<Record<string, unknown>> {
  const { models, tenants, ...rest } = readDemo();
  const digits = models[CANARY.model]!;
  const backend = { kind: 'grpc', endpoints: [canaryAddress], version: CANARY.variant, credential: { env: CANARY_KEY_ENV } };
  const variants = digits.variants.map((variant) =>
    variant.name === CANARY.variant ? { ...variant, weight: CANARY.percent, backend } : variant,
  );
  return {
    ...rest,
    // Each worker has a cache of its own: with one, every question asked again is a hit, and the demo can say so.
    workers: 1,
    listen: {},
    tenants: tenants.map((tenant) => (tenant.id === 'acme' ? { ...tenant, rate: ACME_RATE } : tenant)),
    models: { ...models, [CANARY.model]: { ...digits, variants } },
  };
}

/** The file with model paths made absolute, since the configs of the demo lie elsewhere. */
function readDemo(): DemoConfig {
  const file = parse(readFileSync(FILE, 'utf8')) as DemoConfig;
  const models = Object.fromEntries(Object.entries(file.models).map(([name, model]) => [name, withAbsolutePaths(model)]));
  return { ...file, models };
}

function withAbsolutePaths(model: DemoModel): DemoModel {
  const variants = model.variants.map((variant) => {
    const { path } = variant.backend;
    if (typeof path !== 'string') return variant;
    return { ...variant, backend: { ...variant.backend, path: resolve(dirname(FILE), path) } };
  });
  return { ...model, variants };
}
