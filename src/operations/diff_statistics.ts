import type { Entry } from "../model/entry.ts";
import type { ChangeKind } from "./diff.ts";

/** What was added or removed, by sort; a change of type is both. */
export class DiffCount {
  files = 0;
  dirs = 0;
  others = 0;
  /** Sizes of files. */
  bytes = 0;

  add(entry: Entry): void {
    if (entry.type === "file") {
      this.files++;
      this.bytes += Number(entry.size);
    } else if (entry.type === "dir") this.dirs++;
    else this.others++;
  }
}

export class DiffStatistics {
  readonly added = new DiffCount();
  readonly removed = new DiffCount();
  /** Files, links and devices whose content is another. */
  contentChanged = 0;
  /** Entries of which only the metadata differs. */
  metadataChanged = 0;
  typeChanged = 0;
  /** Bytes of chunks that only the later versions of changed files have, and of those that only the earlier have. */
  changedBytesAdded = 0;
  changedBytesRemoved = 0;

  count(kind: ChangeKind, before: Entry | undefined, after: Entry | undefined): void {
    if (kind === "content") this.contentChanged++;
    else if (kind === "metadata") this.metadataChanged++;
    else {
      if (kind === "type") this.typeChanged++;
      if (before !== undefined) this.removed.add(before);
      if (after !== undefined) this.added.add(after);
    }
  }

  changedBytes(removed: number, added: number): void {
    this.changedBytesRemoved += removed;
    this.changedBytesAdded += added;
  }
}
