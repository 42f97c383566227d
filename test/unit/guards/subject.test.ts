import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../../src/core/inference.ts';
import { Subject } from '../../../src/guards/subject.ts';
import { numericTensor, textsOf, textTensor } from '../../support/guard-tensors.ts';

describe('Subject', () => {
  it('decodes texts once, and numbers where they are many', () => {
    const many = numericTensor('x', 'FP32', new Float32Array(129));
    const subject = new Subject([textTensor('text', ['a', 'b']), many]);
    expect(subject.texts(0).map((text) => text.value)).toEqual(['a', 'b']);
    expect(subject.texts(0)).toBe(subject.texts(0));
    expect(subject.numbers(1)).toBe(subject.numbers(1));
  });

  it('keeps a byte order mark, which is part of what the model will read', () => {
    expect(new Subject([textTensor('text', ['\ufeffa'])]).texts(0)[0]!.value).toBe('\ufeffa');
  });

  it('refuses a BYTES tensor whose lengths lie', () => {
    const lying: Tensor = { name: 'text', datatype: 'BYTES', shape: [1], data: Uint8Array.of(9, 0, 0, 0, 65) };
    expect(() => new Subject([lying]).texts(0)).toThrow('tensor "text" is not made of length-prefixed elements');
  });

  it('shows drafts only when they are accepted and commits them only when asked', () => {
    const original = textTensor('text', ['one', 'two']);
    const tensors = [original];
    const subject = new Subject(tensors);
    const text = subject.texts(0)[1]!;
    subject.rewrite(text, 'TWO');
    expect(text.value).toBe('two');
    subject.accept();
    expect(text.value).toBe('TWO');
    expect(tensors[0]).toBe(original);
    subject.commit();
    expect(textsOf(tensors[0]!)).toEqual(['one', 'TWO']);
    expect(textsOf(original)).toEqual(['one', 'two']);
  });

  it('forgets drafts that are discarded', () => {
    const tensors = [textTensor('text', ['one'])];
    const [before] = tensors;
    const subject = new Subject(tensors);
    subject.rewrite(subject.texts(0)[0]!, 'ONE');
    subject.discard();
    subject.accept();
    subject.commit();
    expect(tensors[0]).toBe(before);
  });

  it('leaves tensors without a changed text where they are', () => {
    const tensors = [textTensor('a', ['one']), textTensor('b', ['two'])];
    const [first] = tensors;
    const subject = new Subject(tensors);
    subject.texts(0);
    subject.rewrite(subject.texts(1)[0]!, 'TWO');
    subject.accept();
    subject.commit();
    expect(tensors[0]).toBe(first);
    expect(textsOf(tensors[1]!)).toEqual(['TWO']);
  });
});
