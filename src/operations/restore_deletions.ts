import type { TargetTree } from "../platform/file_system.ts";
import type { RestoreOptions } from "./restore.ts";
import { SnapshotKnowledge } from "./snapshot_knowledge.ts";

/** Finds what stands in restored folders although the snapshot knows that it is gone. */
export class RestoreDeletions {
  readonly #known: SnapshotKnowledge;
  /** What stands in the place of something that could not be restored. */
  readonly #kept = new Set<string>();

  constructor(
    readonly target: TargetTree | undefined,
    readonly options: Pick<RestoreOptions, "snapshot" | "path" | "select" | "delete">,
  ) {
    this.#known = new SnapshotKnowledge(options.snapshot.snapshot, options.path);
  }

  keep(path: string): void {
    if (this.options.delete) this.#kept.add(path);
  }

  /** @param names What the snapshot has in the folder */
  *find(folder: string, names: ReadonlySet<string>): Generator<string> {
    if (!this.#isHere(folder) || !this.#known.isComplete(folder)) return;
    for (const name of this.target!.readNames(folder)) {
      const path = folder === "" ? name : `${folder}/${name}`;
      if (names.has(name) || this.#kept.has(path)) continue;
      const isFolder = this.target!.lstat(path)?.type === "dir";
      if ((isFolder && !this.#isHere(path)) || this.#known.mayHaveBeen(path)) continue;
      if (this.options.select === undefined || this.options.select(path, isFolder)) yield path;
    }
  }

  /** A folder of the target's own mount: what is mounted in it was not saved with it, so it is not deleted either. */
  #isHere(folder: string): boolean {
    return this.target?.lstat(folder)?.type === "dir" && this.target.mountOf(folder) === this.target.mountOf("");
  }
}
