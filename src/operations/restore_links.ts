import { createHash } from "node:crypto";
import { type Entry, linkKey } from "../model/entry.ts";

/** What is known of an object with several names, once the first of them was met. */
export interface LinkGroup {
  /** The first name. */
  path: string;
  failed: boolean;
  /** Names that were not met yet. */
  left: number;
}

/** Tells names of one object from objects of their own. It forgets one whose last name was met. */
export class LinkGroups<Group extends LinkGroup = LinkGroup> {
  readonly #groups = new Map<string, Group>();

  /** The object that `entry` is another name of. */
  take(entry: Entry): Group | undefined {
    const key = shortKey(entry);
    const group = key === undefined ? undefined : this.#groups.get(key);
    if (group !== undefined && --group.left <= 0) this.#groups.delete(key!);
    return group;
  }

  /** Undefined for what has one name. */
  begin(entry: Entry, make: (left: number) => Group): Group | undefined {
    const key = shortKey(entry);
    if (key === undefined) return undefined;
    const group = make(entry.links! - 1);
    this.#groups.set(key, group);
    return group;
  }

  get size(): number {
    return this.#groups.size;
  }
}

/** 16 bytes as 16 characters: there may be very many, and a content is long. */
function shortKey(entry: Entry): string | undefined {
  const key = linkKey(entry);
  return key === undefined ? undefined : createHash("sha256").update(key).digest().toString("latin1", 0, 16);
}
