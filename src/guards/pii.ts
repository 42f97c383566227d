import type { PiiGuardConfig } from '../config/guard-schema.ts';
import { Ruling } from '../core/guard.ts';
import { findCards } from './cards.ts';
import { findEmails } from './emails.ts';
import type { Guard } from './guard.ts';
import { type PlainText, plainOf, replaceSpans } from './plain-text.ts';
import { Fit, Selection, TEXTUAL } from './selection.ts';
import type { Subject } from './subject.ts';
import type { SubjectText } from './subject-text.ts';

const EMAIL_LABEL = '[email]';
const CARD_LABEL = '[card]';

/**
 * Finds e-mail addresses and payment card numbers, in look-alike characters too, and redacts them or says that they are there.
 * Linear in the text; redacting what has been redacted changes nothing.
 */
export class PiiGuard implements Guard {
  readonly name: string;
  readonly failClosed: boolean;
  readonly #selection: Selection;
  readonly #emails: boolean;
  readonly #cards: boolean;
  readonly #ruling: Ruling;

  constructor(config: PiiGuardConfig) {
    this.name = config.name;
    this.failClosed = config.failClosed;
    this.#selection = new Selection(config.tensors, TEXTUAL);
    this.#emails = config.detect.includes('email');
    this.#cards = config.detect.includes('paymentCard');
    this.#ruling = { flag: Ruling.Flag, redact: Ruling.Rewrite, block: Ruling.Block }[config.action];
  }

  /** @hot */
  check(subject: Subject): Ruling {
    const tensors = subject.tensors;
    let found = '';
    for (let i = 0; i < tensors.length; i++) {
      const fit = this.#selection.fit(tensors[i]!);
      if (fit === Fit.Skip) continue;
      if (fit === Fit.Wrong) {
        subject.rule = 'datatype';
        return Ruling.Error;
      }
      const texts = subject.texts(i);
      for (let t = 0; t < texts.length; t++) {
        const rule = this.#judge(subject, texts[t]!);
        if (found === '') found = rule;
        if (rule !== '' && this.#ruling !== Ruling.Rewrite) break;
      }
    }
    subject.rule = found;
    return found === '' ? Ruling.Allow : this.#ruling;
  }

  /** What was found in the text; empty when there is nothing. Drafts the redacted text when that is what config wants. */
  #judge(subject: Subject, text: SubjectText): string {
    const plain = plainOf(text.value);
    const cards = this.#cards ? findCards(plain.text) : NONE;
    const emails = this.#emails ? findEmails(plain.text) : NONE;
    if (cards.length === 0 && emails.length === 0) return '';
    if (this.#ruling === Ruling.Rewrite) subject.rewrite(text, this.#redact(text.value, plain, cards));
    return emails.length > 0 ? 'email' : 'paymentCard';
  }

  /**
   * Cards first, since a card is the worse to leave half of; then addresses, which no longer reach into a card; then cards again,
   * since an address may have been what spoiled a row of digits.
   */
  #redact(value: string, plain: PlainText, cards: readonly number[]): string {
    let text = cards.length === 0 ? value : replaceSpans(value, plain, cards, CARD_LABEL);
    if (!this.#emails) return text;
    text = redacted(text, findEmails, EMAIL_LABEL);
    return this.#cards ? redacted(text, findCards, CARD_LABEL) : text;
  }
}

const NONE: readonly number[] = [];

function redacted(text: string, find: (text: string) => number[], label: string): string {
  const plain = plainOf(text);
  const spans = find(plain.text);
  return spans.length === 0 ? text : replaceSpans(text, plain, spans, label);
}
