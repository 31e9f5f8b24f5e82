/** A queue that gives the smallest number first. */
export class MinimumQueue<T> {
  readonly #entries: { readonly at: number; readonly order: number; readonly value: T }[] = [];
  #order = 0;

  get size(): number {
    return this.#entries.length;
  }

  push(at: number, value: T): void {
    const entries = this.#entries;
    let index = entries.length;
    const entry = { at, order: this.#order++, value };
    entries.push(entry);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = entries[above];
      if (parent === undefined || !precedes(entry, parent)) break;
      entries[index] = parent;
      index = above;
    }
    entries[index] = entry;
  }

  /** Takes the smallest; of equal ones, that which came first. */
  pop(): { readonly at: number; readonly value: T } | undefined {
    const entries = this.#entries;
    const first = entries[0];
    const last = entries.pop();
    if (first === undefined || last === undefined || entries.length === 0) return first;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const [one, other] = [entries[left], entries[left + 1]];
      const [least, at] =
        other !== undefined && one !== undefined && precedes(other, one) ? [other, left + 1] : [one, left];
      if (least === undefined || !precedes(least, last)) break;
      entries[index] = least;
      index = at;
    }
    entries[index] = last;
    return first;
  }
}

interface Placed {
  readonly at: number;
  readonly order: number;
}

const precedes = (one: Placed, other: Placed): boolean =>
  one.at < other.at || (one.at === other.at && one.order < other.order);
