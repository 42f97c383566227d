/** A few known names, found by their bytes without making a string. For keys of an object and other closed sets. */
export class NameTable {
  readonly names: readonly string[];
  readonly #spelled: readonly Uint8Array[];

  /** At most 31: the cursor notes the keys it has seen in one small integer. */
  constructor(names: readonly string[]) {
    if (names.length > 31) throw new RangeError(`a name table holds at most 31 names, found ${names.length}`);
    this.names = names;
    this.#spelled = names.map((name) => Buffer.from(name));
  }

  /** Index of the name that `bytes` spell from `from` up to `to`, or -1. */
  find(bytes: Uint8Array, from: number, to: number): number {
    const length = to - from;
    for (let index = 0; index < this.#spelled.length; index++) {
      const name = this.#spelled[index]!;
      if (name.length !== length) continue;
      let same = 0;
      while (same < length && name[same] === bytes[from + same]) same++;
      if (same === length) return index;
    }
    return -1;
  }
}
