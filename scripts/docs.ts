import { writeFileSync } from 'node:fs';
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

export const GENERATED_DOCS: ReadonlyMap<string, () => string> = new Map([
  ['docs/configuration.md', () => CONFIG_INTRO + configDocs()],
  ['docs/metrics.md', () => METRICS_INTRO + metricsDocs()],
]);

if (import.meta.main) {
  for (const [file, make] of GENERATED_DOCS) {
    writeFileSync(new URL(`../${file}`, import.meta.url), make());
    console.log(`wrote ${file}`);
  }
}
