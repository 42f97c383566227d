/** Writes config/samples: for each demo model one real held-out input as a REST body, ready for `curl -d @file`. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { loadDigits } from '../models/digits-data.ts';
import { loadSpam, SPAM } from '../models/spam-data.ts';
import { digitInput, mailInput, restBody, type SampleInput } from './sample-input.ts';

const FOLDER = new URL('../../config/samples/', import.meta.url);
const SHORT_MAIL_CHARS = 500;

mkdirSync(FOLDER, { recursive: true });
const digit = loadDigits().heldOut[0]!;
write('digits', digitInput(digit.pixels), `a-written-${digit.label}`);
write('spam', mailInput(shortSpam()), 'a-spam-mail');

function write(model: string, input: SampleInput, id: string): void {
  const file = new URL(`${model}.json`, FOLDER);
  writeFileSync(file, `${restBody(input, id)}\n`);
  console.log(`wrote ${file.pathname}`);
}

/** The first held-out one that is short and names no person and no address. */
function shortSpam(): string {
  const mails = loadSpam().heldOut.filter(({ text, label }) => label === SPAM && text.length < SHORT_MAIL_CHARS);
  return mails.find(({ text }) => !/@|http/i.test(text))!.text;
}
