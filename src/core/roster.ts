/** What can stand in one roster. */
export interface Rostered {
  /** Where it stands; -1 while it stands in none. For the roster alone. */
  rosterAt: number;
}

/**
 * Who is here now, in no order. A Set would do the same, but V8 keeps what a Set has held: each time its table is renewed the old one points
 * to the new one, and one dead table that has grown old keeps all that stood in those after it until the next major collection. With a Set of
 * requests nearly every request outlived its scavenge, and a third of the CPU time went there.
 */
export class Roster<T extends Rostered> {
  /** Places from `#size` on are empty. They stay: V8 would shrink an array that is emptied, and grow it anew. */
  readonly #members: (T | null)[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Must stand in no roster. @hot */
  add(member: T): void {
    const at = this.#size++;
    member.rosterAt = at;
    if (at < this.#members.length) this.#members[at] = member;
    else this.#members.push(member);
  }

  /** False when it is not here. @hot */
  delete(member: T): boolean {
    const at = member.rosterAt;
    if (at < 0) return false;
    member.rosterAt = -1;
    const end = --this.#size;
    const last = this.#members[end]!;
    this.#members[end] = null;
    if (last === member) return true;
    this.#members[at] = last;
    last.rosterAt = at;
    return true;
  }

  /** Those who are here at this moment, for the rare cases that concern all. */
  all(): readonly T[] {
    return this.#members.slice(0, this.#size) as T[];
  }
}
