/** The model files in the repository are what their cards say: same bytes, same signature, same quality, same answers in any batch. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { openSession, scoreClassifier } from '../../../scripts/models/classifier-score.ts';
import { digitTensor } from '../../../scripts/models/digit-tensor.ts';
import { loadDigits } from '../../../scripts/models/digits-data.ts';
import { digitRecipes } from '../../../scripts/models/digits-recipes.ts';
import { encodeOnnx } from '../../../scripts/models/onnx-graph.ts';
import { spamScorer, trainSpam } from '../../../scripts/models/spam-classifier.ts';
import { HAM, loadSpam, SPAM, type SpamSample } from '../../../scripts/models/spam-data.ts';
import { spamGraph } from '../../../scripts/models/spam-graph.ts';
import { spamRecipes } from '../../../scripts/models/spam-recipes.ts';
import { spamTensor } from '../../../scripts/models/spam-tensor.ts';
import { chooseVocabulary } from '../../../scripts/models/spam-vocabulary.ts';

type CardRow = { readonly accuracy: number; readonly sha256: string };

const BATCHES = [2, 7, 32];
const ACCURACY_SLACK = 0.005; // another CPU may sum in another order and tip a few close calls

const digits = loadDigits();
const spam = loadSpam();

type ModelUnderTest = {
  readonly model: string;
  readonly version: string;
  readonly inputMetadata: {
    readonly name: string;
    readonly isTensor: true;
    readonly type: string;
    readonly shape: readonly (string | number)[];
  };
  readonly classes: number;
  /** The held-out samples from `start` up to `end`. */
  tensor(start: number, end: number): Tensor;
  accuracy(bytes: Uint8Array): Promise<number>;
};

function digitModel(version: string): ModelUnderTest {
  return {
    model: 'digits',
    version,
    inputMetadata: { name: 'image', isTensor: true, type: 'float32', shape: ['batch', 28, 28] },
    classes: 10,
    tensor: (start, end) => digitTensor(digits.heldOut.slice(start, end)),
    accuracy: async (bytes) =>
      (await scoreClassifier({ bytes, inputName: 'image', classes: 10 }, digits.heldOut, digitTensor)).accuracy,
  };
}

function spamModel(version: string): ModelUnderTest {
  return {
    model: 'spam',
    version,
    inputMetadata: { name: 'text', isTensor: true, type: 'string', shape: ['batch'] },
    classes: 2,
    tensor: (start, end) => spamTensor(spam.heldOut.slice(start, end)),
    accuracy: async (bytes) =>
      (await scoreClassifier({ bytes, inputName: 'text', classes: 2 }, spam.heldOut, spamTensor)).accuracy,
  };
}

const MODELS = [digitModel('v1'), digitModel('v2'), digitModel('v3'), spamModel('v1'), spamModel('v2')];

describe.each(MODELS)('the model file $model/$version', ({ model, version, inputMetadata, classes, tensor, accuracy }) => {
  const bytes = modelBytes(model, version);
  const card = cardRow(model, version);
  let session: InferenceSession;

  beforeAll(async () => {
    session = await openSession(bytes);
  });

  it('has the sha256 its card states', () => {
    expect(sha256(bytes)).toBe(card.sha256);
  });

  it('has the stated signature', () => {
    expect(session.inputMetadata).toEqual([inputMetadata]);
    expect(session.outputMetadata).toEqual([
      { name: 'probabilities', isTensor: true, type: 'float32', shape: ['batch', classes] },
      { name: 'label', isTensor: true, type: 'int64', shape: ['batch'] },
    ]);
  });

  it('is as good on held-out samples as its card states', async () => {
    expect(await accuracy(bytes)).toBeGreaterThanOrEqual(card.accuracy - ACCURACY_SLACK);
  });

  it('answers a batch bit for bit as it answers the same samples one by one', async () => {
    const singles: string[] = [];
    for (let row = 0; row < Math.max(...BATCHES); row += 1) singles.push(...(await answers(row, row + 1)));
    for (const batch of BATCHES) {
      expect(await answers(0, batch)).toEqual(singles.slice(0, batch));
    }
  });

  /** The label and the bits of the probabilities, a string for each sample. */
  async function answers(start: number, end: number): Promise<string[]> {
    const outputs = await session.run({ [inputMetadata.name]: tensor(start, end) });
    const probabilities = outputs['probabilities']!.data as Float32Array;
    const labels = outputs['label']!.data as BigInt64Array;
    return Array.from(labels, (label, row) => {
      const bits = new Uint32Array(probabilities.slice(row * classes, (row + 1) * classes).buffer);
      return `${label} ${bits.join(' ')}`;
    });
  }
});

describe('the versions of a model', () => {
  it('differ, the canary being better than the stable one', () => {
    for (const model of ['digits', 'spam']) {
      expect(cardRow(model, 'v2').accuracy).toBeGreaterThan(cardRow(model, 'v1').accuracy);
    }
  });

  it('can be trained again to the very same bytes', () => {
    const stableDigits = digitRecipes(digits.train)[0]!.train();
    const stableSpam = spamRecipes(spam.train)[0]!.train();
    expect(sha256(encodeOnnx(stableDigits))).toBe(cardRow('digits', 'v1').sha256);
    expect(sha256(encodeOnnx(stableSpam))).toBe(cardRow('spam', 'v1').sha256);
  });
});

describe('the spam graph', () => {
  const texts = [
    '',
    '   ',
    'FREE Money',
    ' free  money ',
    'Zürich FREE ÉCOLE',
    'money\nfree',
    'free, money',
    '日本語 💰 lunch',
    'lunch free',
  ];

  it('scores odd texts as the training script does, empty and non-ASCII ones included', async () => {
    const samples: SpamSample[] = Array.from({ length: 20 }, (_, index) =>
      index % 2 === 0 ? { text: `free money ${index}`, label: SPAM } : { text: `lunch with money ${index}`, label: HAM },
    );
    const vocabulary = chooseVocabulary(samples, { gramLengthMax: 2, size: 100 });
    const classifier = trainSpam(samples, vocabulary, { seed: 7, epochs: 5, rate: 0.5, decay: 1e-4 });
    const session = await openSession(encodeOnnx(spamGraph(classifier, 1)));
    const { probabilities } = await session.run({ text: spamTensor(texts.map((text) => ({ text }))) });
    const scoreOf = spamScorer(classifier);
    expect(vocabulary.terms).toContain('free money');
    for (const [row, text] of texts.entries()) {
      expect(probabilities!.data[row * 2 + SPAM]).toBeCloseTo(scoreOf(text), 6);
    }
  });

  it('takes a batch of nothing but empty texts, and calls them ham', async () => {
    const session = await openSession(modelBytes('spam', 'v2'));
    const { label } = await session.run({ text: spamTensor([{ text: '' }, { text: '' }]) });
    expect([...(label!.data as BigInt64Array)]).toEqual([0n, 0n]);
  });
});

function modelBytes(model: string, version: string): Uint8Array {
  return readFileSync(new URL(`../../../models/${model}/${version}.onnx`, import.meta.url));
}

/** The version's line in the card's table: file, role, accuracy, bytes, sha256. */
function cardRow(model: string, version: string): CardRow {
  const card = readFileSync(new URL(`../../../models/${model}/README.md`, import.meta.url), 'utf8');
  const row = new RegExp(`^\\| \`${version}\\.onnx\` \\| \\w+ \\| ([\\d.]+) % \\| \\d+ \\| \`([0-9a-f]{64})\` \\|$`, 'm').exec(
    card,
  );
  if (row === null) throw new Error(`models/${model}/README.md has no row for ${version}.onnx; run: npm run train`);
  return { accuracy: Number(row[1]) / 100, sha256: row[2]! };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
