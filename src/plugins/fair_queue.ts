/** Waiting work of several owners, served in turn: who has much waiting does not hold up who has little. */
export class FairQueue<T> {
  /** Owners in the order in which their turn comes; none of the lists is empty. */
  readonly #lists = new Map<unknown, T[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(owner: unknown, item: T): void {
    const list = this.#lists.get(owner);
    if (list === undefined) this.#lists.set(owner, [item]);
    else list.push(item);
    this.#size++;
  }

  shift(): T | undefined {
    for (const [owner, list] of this.#lists) {
      const item = list.shift()!;
      this.#lists.delete(owner);
      if (list.length > 0) this.#lists.set(owner, list);
      this.#size--;
      return item;
    }
    return undefined;
  }

  /** False if it is not here any more. */
  remove(owner: unknown, item: T): boolean {
    const list = this.#lists.get(owner);
    const at = list?.indexOf(item) ?? -1;
    if (list === undefined || at < 0) return false;
    list.splice(at, 1);
    if (list.length === 0) this.#lists.delete(owner);
    this.#size--;
    return true;
  }
}
