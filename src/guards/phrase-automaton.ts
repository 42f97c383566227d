import { isWordEdge } from './characters.ts';

/**
 * Finds any of many phrases in one pass over a text, after Aho and Corasick: a trie of all phrases, where each node knows the node
 * of its longest proper suffix. The nodes stand in breadth-first order, so the children of a node are neighbours:
 *
 *   node        0 (root)   1 'a'   2 'b'   3 'ab'   4 'ba' …
 *   firstChild  1          3       4       …                   children of n: firstChild[n] to firstChild[n + 1]
 *   unit        -          a       b       b        a          the UTF-16 unit that leads to the node
 */
export class PhraseAutomaton {
  readonly #unit: Uint16Array;
  readonly #firstChild: Uint32Array;
  readonly #depth: Uint16Array;
  /** Longest proper suffix that is a node too. */
  readonly #suffix: Uint32Array;
  /** Index of the phrase that ends at the node, or -1. */
  readonly #phrase: Int32Array;
  /** The longest suffix, the node itself counted, at which a phrase ends; 0 when there is none. */
  readonly #ending: Uint32Array;

  /** `phrases` are folded, none is empty, and none is longer than 65,535 units. */
  constructor(phrases: readonly string[]) {
    const trie = new TrieBuilder(phrases);
    this.#unit = trie.unit;
    this.#firstChild = trie.firstChild;
    this.#depth = trie.depth;
    this.#phrase = trie.phrase;
    this.#suffix = new Uint32Array(trie.size);
    this.#ending = new Uint32Array(trie.size);
    this.#link(trie.size);
  }

  /**
   * Index of a phrase that stands in `text` as whole words, or -1. Each unit of the text moves on by one node or falls back over
   * nodes it moved to before, so time is linear in the text, whatever the phrases; only phrases nested in the tails of others are
   * looked at one by one.
   * @hot
   */
  find(text: string): number {
    let node = 0;
    for (let i = 0; i < text.length; i++) {
      node = this.#step(node, text.charCodeAt(i));
      let ending = this.#ending[node]!;
      if (ending === 0 || !isWordEdge(text, i + 1)) continue;
      for (; ending !== 0; ending = this.#ending[this.#suffix[ending]!]!) {
        if (isWordEdge(text, i + 1 - this.#depth[ending]!)) return this.#phrase[ending]!;
      }
    }
    return -1;
  }

  /** Fills suffixes and endings. Breadth-first order sees to it that shorter ones are known already. */
  #link(size: number): void {
    for (let node = 0; node < size; node++) {
      this.#ending[node] = this.#phrase[node]! >= 0 ? node : this.#ending[this.#suffix[node]!]!;
      const end = this.#firstChild[node + 1]!;
      for (let child = this.#firstChild[node]!; child < end; child++) {
        this.#suffix[child] = node === 0 ? 0 : this.#step(this.#suffix[node]!, this.#unit[child]!);
      }
    }
  }

  #step(from: number, unit: number): number {
    let node = from;
    for (;;) {
      const child = this.#child(node, unit);
      if (child !== 0 || node === 0) return child;
      node = this.#suffix[node]!;
    }
  }

  /** The child of `node` by `unit`, or 0. Children are sorted, at most a few hundred below the root. */
  #child(node: number, unit: number): number {
    let low = this.#firstChild[node]!;
    let high = this.#firstChild[node + 1]! - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = this.#unit[middle]!;
      if (found === unit) return middle;
      if (found < unit) low = middle + 1;
      else high = middle - 1;
    }
    return 0;
  }
}

/** Lays sorted phrases out as a trie in breadth-first order: a node is a range of phrases with the same beginning. */
class TrieBuilder {
  readonly unit: Uint16Array;
  readonly firstChild: Uint32Array;
  readonly depth: Uint16Array;
  readonly phrase: Int32Array;
  size = 1;
  readonly #sorted: readonly string[];
  readonly #order: readonly number[];
  readonly #from: Uint32Array;
  readonly #to: Uint32Array;

  constructor(phrases: readonly string[]) {
    this.#order = phrases.map((_, index) => index).sort((a, b) => (phrases[a]! < phrases[b]! ? -1 : 1));
    this.#sorted = this.#order.map((index) => phrases[index]!);
    const nodesMax = phrases.reduce((sum, phrase) => sum + phrase.length, 1);
    this.unit = new Uint16Array(nodesMax);
    this.firstChild = new Uint32Array(nodesMax + 1);
    this.depth = new Uint16Array(nodesMax);
    this.phrase = new Int32Array(nodesMax).fill(-1);
    this.#from = new Uint32Array(nodesMax);
    this.#to = new Uint32Array(nodesMax);
    this.#to[0] = phrases.length;
    for (let node = 0; node < this.size; node++) this.#expand(node);
    this.firstChild[this.size] = this.size;
  }

  #expand(node: number): void {
    this.firstChild[node] = this.size;
    const depth = this.depth[node]!;
    const to = this.#to[node]!;
    let at = this.#from[node]!;
    // A phrase that ends here sorts before those that go on; the same phrase may be there twice.
    for (; at < to && this.#sorted[at]!.length === depth; at++) this.phrase[node] = this.#order[at]!;
    while (at < to) {
      const unit = this.#sorted[at]!.charCodeAt(depth);
      const start = at;
      while (at < to && this.#sorted[at]!.charCodeAt(depth) === unit) at++;
      this.unit[this.size] = unit;
      this.depth[this.size] = depth + 1;
      this.#from[this.size] = start;
      this.#to[this.size] = at;
      this.size++;
    }
  }
}
