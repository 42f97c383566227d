import type { DenyListGuardConfig } from '../config/guard-schema.ts';
import { Ruling } from '../core/guard.ts';
import type { Guard } from './guard.ts';
import { PhraseAutomaton } from './phrase-automaton.ts';
import { readingsOf } from './readings.ts';
import { Fit, Selection, TEXTUAL } from './selection.ts';
import type { Subject } from './subject.ts';
import type { SubjectText } from './subject-text.ts';

/** Watches for phrases that must not occur, however they are written. Linear in the text, whatever the number of phrases. */
export class DenyListGuard implements Guard {
  readonly name: string;
  readonly failClosed: boolean;
  readonly #selection: Selection;
  readonly #automaton: PhraseAutomaton;
  readonly #ruling: Ruling;

  constructor(config: DenyListGuardConfig) {
    this.name = config.name;
    this.failClosed = config.failClosed;
    this.#selection = new Selection(config.tensors, TEXTUAL);
    this.#automaton = new PhraseAutomaton(foldedPhrases(config));
    this.#ruling = config.action === 'block' ? Ruling.Block : Ruling.Flag;
  }

  /** @hot */
  check(subject: Subject): Ruling {
    const tensors = subject.tensors;
    for (let i = 0; i < tensors.length; i++) {
      const fit = this.#selection.fit(tensors[i]!);
      if (fit === Fit.Skip) continue;
      if (fit === Fit.Wrong) {
        subject.rule = 'datatype';
        return Ruling.Error;
      }
      const phrase = this.#findIn(subject.texts(i));
      if (phrase === -1) continue;
      // By its place in the list, counted from 1: the phrase itself would be content in the log.
      subject.rule = `phrase-${phrase + 1}`;
      return this.#ruling;
    }
    return Ruling.Allow;
  }

  #findIn(texts: readonly SubjectText[]): number {
    for (let i = 0; i < texts.length; i++) {
      const readings = texts[i]!.readings;
      for (let r = 0; r < readings.length; r++) {
        const phrase = this.#automaton.find(readings[r]!);
        if (phrase !== -1) return phrase;
      }
    }
    return -1;
  }
}

function foldedPhrases(config: DenyListGuardConfig): string[] {
  return config.phrases.map((phrase, index) => {
    const folded = readingsOf(phrase)[0]!;
    if (folded === '') {
      throw new Error(
        `guard "${config.name}": phrase ${index + 1} of its list has no visible character; every phrase needs one, so take it out`,
      );
    }
    return folded;
  });
}
