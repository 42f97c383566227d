/** Chooses the terms a spam model knows: those whose presence says most about the class, by the chi-square statistic. */

import { SPAM, type SpamSample } from './spam-data.ts';
import { BIGRAM_JOINT, termsOf } from './spam-terms.ts';

export type Vocabulary = {
  readonly gramLengthMax: 1 | 2;
  /** Words first, then pairs, each in code point order: the order of the model's columns. */
  readonly terms: readonly string[];
  /** Rarity: ln(mails / mails with the term), as 32-bit floats because ONNX holds them so. */
  readonly rarity: Float32Array;
};

export type VocabularyPlan = { readonly gramLengthMax: 1 | 2; readonly size: number };

type TermCount = { readonly term: string; spam: number; ham: number };

const MAILS_MIN = 5; // a term in fewer mails is chance, not evidence

// Addresses, links, long numbers and message ids tie a model to senders of 2002.
const TIED_TO_THE_CORPUS = /:\/\/|@|www\.|\.(com|net|org)\b|\d{3}|-(list|users|admin)\b|[-_=*]{4}|[^\u0021-\u007e ]/;

export function chooseVocabulary(samples: readonly SpamSample[], plan: VocabularyPlan): Vocabulary {
  const spamMails = samples.filter(({ label }) => label === SPAM).length;
  const hamMails = samples.length - spamMails;
  const chosen = countTerms(samples, plan.gramLengthMax)
    .map((count) => ({ ...count, evidence: chiSquare(count, spamMails, hamMails) }))
    .sort((one, other) => other.evidence - one.evidence || compareText(one.term, other.term))
    .slice(0, plan.size)
    .sort((one, other) => Number(isPair(one.term)) - Number(isPair(other.term)) || compareText(one.term, other.term));
  return {
    gramLengthMax: plan.gramLengthMax,
    terms: chosen.map(({ term }) => term),
    rarity: Float32Array.from(chosen, ({ spam, ham }) => Math.log(samples.length / (spam + ham))),
  };
}

export function isPair(term: string): boolean {
  return term.includes(BIGRAM_JOINT);
}

function countTerms(samples: readonly SpamSample[], gramLengthMax: 1 | 2): TermCount[] {
  const counts = new Map<string, TermCount>();
  for (const { text, label } of samples) {
    for (const term of termsOf(text, gramLengthMax)) {
      const count = counts.get(term) ?? { term, spam: 0, ham: 0 };
      counts.set(term, count);
      if (label === SPAM) count.spam += 1;
      else count.ham += 1;
    }
  }
  return [...counts.values()].filter(({ term, spam, ham }) => spam + ham >= MAILS_MIN && !TIED_TO_THE_CORPUS.test(term));
}

function chiSquare({ spam, ham }: TermCount, spamMails: number, hamMails: number): number {
  const mails = spamMails + hamMails;
  const present = spam + ham;
  const difference = spam * (hamMails - ham) - ham * (spamMails - spam);
  return (mails * difference * difference) / (present * (mails - present) * spamMails * hamMails);
}

/** By code unit: `localeCompare` would follow the machine's locale. */
function compareText(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
