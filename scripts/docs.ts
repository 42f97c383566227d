import { writeFileSync } from 'node:fs';
import { ADMIN_ROUTES } from '../src/admin/admin-routes.ts';
import { apiDocs } from '../src/admin/api-docs.ts';
import { configDocs } from '../src/config/config-docs.ts';
import { metricsDocs } from '../src/telemetry/catalogue.ts';

/** Writes the references that are made from code. A test fails when they are out of date. */
const CONFIG_INTRO = `# Configuration

One YAML file, checked before anything starts: \`sluice check <config>\`. An unknown key is an error. Made from the schema by \`npm run docs\`.

A secret is one of \`{ env: NAME }\`, \`{ file: PATH }\` or \`{ generate: true }\`. Paths are relative to the config file.

`;

const METRICS_INTRO = `# Metrics

\`GET /metrics\` on the admin port, in Prometheus text format. Made from the catalogue by \`npm run docs\`.

`;

const API_INTRO = `# Admin API

On the admin port (8082), as JSON. Made from the routes by \`npm run docs\`; \`GET /admin/v1/openapi.json\` is the same as OpenAPI 3.1, with bodies and answers.

- **Tokens** go into \`Authorization: Bearer …\`. \`listen.admin.token\` is the owner's; \`listen.admin.tokens\` names more, each with a role. No token or one
  that opens nothing is 401; a role that is not enough is 403, and the answer says what is missing. \`GET /healthz\` needs no token, nor does
  \`GET /metrics\` on loopback; beyond it that needs *view*.
- **Refusals** are problem details (RFC 9457): \`detail\` says what was found, what was expected and what to do.
- **Changes** are answered when every worker has taken them over, \`"workers": {"acknowledged": 4, "total": 4}\`, and stand in the audit record
  before they take effect: where that cannot be written they are refused with 503, and nothing has changed.
- **\`"dryRun": true\`**, where a body takes it: checked, and refused where that can be told beforehand; answered with what would happen. Nothing is
  recorded or changed. What shows only when it is done, as a full disk, a busy moment or a variant that cannot load, it does not tell.
- **\`Idempotency-Key\`** on a change: within a day the same request of the same caller under the same key is done once, and answered as it was, with
  \`idempotency-replayed: true\`. Another request under the key is 422; the same one while it is under way 409. Refusals are not kept: those below 500
  have changed nothing, and of the others the \`detail\` says it. A key of a caller is not kept either: the repetition has \`"key": null\`. The memory of it ends with the gateway.
- **\`x-request-id\`** is taken over into the record, or made, and comes back.

`;

export const GENERATED_DOCS: ReadonlyMap<string, () => string> = new Map([
  ['docs/configuration.md', () => CONFIG_INTRO + configDocs()],
  ['docs/admin-api.md', () => API_INTRO + apiDocs(ADMIN_ROUTES)],
  ['docs/metrics.md', () => METRICS_INTRO + metricsDocs()],
]);

if (import.meta.main) {
  for (const [file, make] of GENERATED_DOCS) {
    writeFileSync(new URL(`../${file}`, import.meta.url), make());
    console.log(`wrote ${file}`);
  }
}
