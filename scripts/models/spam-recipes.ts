/** The two spam models: how each version chooses its vocabulary and is trained. */

import type { Recipe } from './release.ts';
import { type SpamClassifier, type SpamTraining, trainSpam } from './spam-classifier.ts';
import type { SpamSample } from './spam-data.ts';
import { spamGraph } from './spam-graph.ts';
import { chooseVocabulary, type VocabularyPlan } from './spam-vocabulary.ts';

export type SpamRecipe = Recipe & {
  /** What `train` made last, for comparing the script's scores with the file's. */
  classifier(): SpamClassifier;
};

type Plan = Pick<Recipe, 'version' | 'role'> & { readonly vocabulary: VocabularyPlan; readonly training: SpamTraining };

const PLANS: readonly Plan[] = [
  {
    version: 1,
    role: 'stable',
    vocabulary: { gramLengthMax: 1, size: 800 },
    training: { seed: 1, epochs: 20, rate: 0.5, decay: 1e-4 },
  },
  {
    version: 2,
    role: 'canary',
    vocabulary: { gramLengthMax: 2, size: 12_000 },
    training: { seed: 2, epochs: 30, rate: 0.5, decay: 1e-4 },
  },
];

export function spamRecipes(samples: readonly SpamSample[]): SpamRecipe[] {
  return PLANS.map((plan) => recipe(plan, samples));
}

function recipe({ version, role, vocabulary, training }: Plan, samples: readonly SpamSample[]): SpamRecipe {
  const terms = vocabulary.gramLengthMax === 1 ? 'words' : 'words and pairs of words';
  let made: SpamClassifier | null = null;
  const classifier = () => {
    made ??= trainSpam(samples, chooseVocabulary(samples, vocabulary), training);
    return made;
  };
  return {
    version,
    role,
    architecture: `logistic regression on ${vocabulary.size.toLocaleString('en')} ${terms}`,
    training: `seed ${training.seed}, ${training.epochs} epochs, AdaGrad ${training.rate}, decay ${training.decay}`,
    classifier,
    train: () => spamGraph(classifier(), version),
  };
}
