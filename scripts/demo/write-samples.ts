/** Writes config/samples: for each demo model one real held-out input as a REST body, ready for `curl -d @file`. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { loadDigits } from '../models/digits-data.ts';
import { loadSpam, SPAM } from '../models/spam-data.ts';
import { digitInput, mailInput, type SampleInput } from './sample-input.ts';

const FOLDER = new URL('../../config/samples/', import.meta.url);
const SHORT_MAIL_CHARS = 500;
/** Lines as the repository's formatter breaks them. */
const LINE_CHARS = 130;

mkdirSync(FOLDER, { recursive: true });
const digit = loadDigits().heldOut[0]!;
write('digits', digitInput(digit.pixels), `a-written-${digit.label}`);
write('spam', mailInput(shortSpam()), 'a-spam-mail');

function write(model: string, input: SampleInput, id: string): void {
  const file = new URL(`${model}.json`, FOLDER);
  writeFileSync(file, body(input, id));
  console.log(`wrote ${file.pathname}`);
}

/** The first held-out one that is short and names no person and no address. */
function shortSpam(): string {
  const mails = loadSpam().heldOut.filter(({ text, label }) => label === SPAM && text.length < SHORT_MAIL_CHARS);
  return mails.find(({ text }) => !/@|http/i.test(text))!.text;
}

function body(input: SampleInput, id: string): string {
  return `{
  "id": ${JSON.stringify(id)},
  "inputs": [
    {
      "name": ${JSON.stringify(input.name)},
      "shape": [${input.shape.join(', ')}],
      "datatype": ${JSON.stringify(input.datatype)},
      "data": [
${lines(input.values, '        ')}
      ]
    }
  ]
}
`;
}

function lines(values: readonly (number | string)[], indent: string): string {
  const full: string[] = [];
  let line = indent;
  values.forEach((value, i) => {
    const item = JSON.stringify(value) + (i === values.length - 1 ? '' : ',');
    if (line.length + item.length > LINE_CHARS && line !== indent) {
      full.push(line.trimEnd());
      line = indent;
    }
    line += `${item} `;
  });
  return [...full, line.trimEnd()].join('\n');
}
