/** Writes a model card from what was measured, so that no figure on a card is ever typed by hand. */

import { writeFileSync } from 'node:fs';
import { IR_VERSION, OPSET } from './onnx-graph.ts';
import { modelFolder, type Release } from './release.ts';

export type CardText = {
  readonly model: string;
  readonly purpose: string;
  readonly owner: string;
  readonly riskTier: string;
  readonly intendedUse: readonly string[];
  readonly limits: readonly string[];
  readonly data: readonly string[];
  /** The tensors, each as `name` TYPE [shape]: meaning. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly classNames: readonly string[];
};

export function writeCard(text: CardText, releases: readonly Release[]): void {
  writeFileSync(new URL('README.md', modelFolder(text.model)), renderCard(text, releases));
}

export function renderCard(text: CardText, releases: readonly Release[]): string {
  return `${[
    `# Model card: ${text.model}`,
    text.purpose,
    'This card is written by `npm run train`, from the files beside it. Do not edit it by hand.',
    table(['Fact', 'Value'], cardFacts(text)),
    '## Signature',
    'The same for every version. The first dimension is the batch; each row of a batch is answered as if it were alone.',
    list([...text.inputs.map((input) => `input ${input}`), ...text.outputs.map((output) => `output ${output}`)]),
    '## Versions',
    table(['File', 'Role', 'Held-out accuracy', 'Bytes', 'sha256'], releases.map(versionRow)),
    list(releases.map(({ file, recipe }) => `\`${file}\`: ${recipe.architecture}; trained with ${recipe.training}.`)),
    '## Found per class',
    'The share of held-out samples of each class that the model finds (recall).',
    table(['Class', ...releases.map(({ file }) => file)], recallRows(text.classNames, releases)),
    '## Data',
    list(text.data),
    '## Intended use',
    list(text.intendedUse),
    '## Limits',
    list(text.limits),
  ].join('\n\n')}\n`;
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

function cardFacts({ owner, riskTier }: CardText): string[][] {
  return [
    ['Owner', owner],
    ['Risk tier', riskTier],
    ['Format', `ONNX, IR version ${IR_VERSION}, opset ${OPSET} (\`ai.onnx\` only)`],
    ['Licence of the files', 'Apache-2.0'],
  ];
}

function versionRow({ file, recipe, score, sizeBytes, sha256 }: Release): string[] {
  return [`\`${file}\``, recipe.role, percent(score.accuracy), String(sizeBytes), `\`${sha256}\``];
}

function recallRows(classNames: readonly string[], releases: readonly Release[]): string[][] {
  return classNames.map((name, label) => [name, ...releases.map(({ score }) => percent(score.recalls[label]!))]);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function list(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n');
}
