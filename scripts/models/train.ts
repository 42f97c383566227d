/** `npm run train`: trains every model from its seed, measures it on held-out samples, and writes the ONNX files and model cards. */

import { digitTensor } from './digit-tensor.ts';
import { digitsCardText } from './digits-card.ts';
import { loadDigits } from './digits-data.ts';
import { digitRecipes } from './digits-recipes.ts';
import { percent, writeCard } from './model-card.ts';
import { type Release, release } from './release.ts';
import { spamCardText } from './spam-card.ts';
import { spamScorer } from './spam-classifier.ts';
import { loadSpam, SPAM, type SpamSample } from './spam-data.ts';
import { type SpamRecipe, spamRecipes } from './spam-recipes.ts';
import { spamTensor } from './spam-tensor.ts';

const SCORE_GAP_MAX = 1e-5; // the script sums in 64 bits and the file in 32

async function trainDigitModels(): Promise<void> {
  const split = loadDigits();
  const releases: Release[] = [];
  for (const recipe of digitRecipes(split.train)) {
    releases.push(await release(recipe, { samples: split.heldOut, toTensor: digitTensor }));
  }
  writeCard(digitsCardText(split), releases);
  report('digits', releases);
}

async function trainSpamModels(): Promise<void> {
  const split = loadSpam();
  const releases: Release[] = [];
  for (const recipe of spamRecipes(split.train)) {
    const made = await release(recipe, { samples: split.heldOut, toTensor: spamTensor });
    refuseDrift(recipe, made, split.heldOut);
    releases.push(made);
  }
  writeCard(spamCardText(split), releases);
  report('spam', releases);
}

/** A tokeniser that differs from the ONNX operators would show here first. */
function refuseDrift(recipe: SpamRecipe, { file, score }: Release, samples: readonly SpamSample[]): void {
  const scoreOf = spamScorer(recipe.classifier());
  for (const [row, { text }] of samples.entries()) {
    const gap = Math.abs(scoreOf(text) - score.probabilities[row * 2 + SPAM]!);
    if (gap <= SCORE_GAP_MAX) continue;
    throw new Error(
      `spam/${file} differs from the training script by ${gap} on held-out mail ${row}; expected ${SCORE_GAP_MAX} at most`,
    );
  }
}

function report(model: string, releases: readonly Release[]): void {
  for (const { file, sizeBytes, score, sha256, tookMs } of releases) {
    const columns = [`${model}/${file}`.padEnd(16), String(sizeBytes).padStart(8), percent(score.accuracy).padStart(9)];
    console.log([...columns, sha256, `${(tookMs / 1000).toFixed(1)} s`].join('  '));
  }
}

console.log(['file'.padEnd(16), 'bytes'.padStart(8), 'held-out'.padStart(9), 'sha256'.padEnd(64), 'trained in'].join('  '));
await trainSpamModels();
await trainDigitModels();
