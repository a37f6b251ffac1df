import { createHash } from "node:crypto";
import { encodeName } from "../base/names.ts";
import { SystemError, type TargetTree } from "../platform/file_system.ts";
import type { TreeReader } from "../repository/tree_reader.ts";

const PREFIX = ".axiom-part-";
const NAME = /^\.axiom-part-[0-9a-f]{16}$/;

/** Whether a file of this name is half a file of an interrupted restore, which no backup saves. */
export function isPartName(name: string): boolean {
  return NAME.test(name);
}

/**
 * Where is written first what must not be seen half-written; the same in every run, so that one goes on with the last one's.
 *
 * @param taken Names that the snapshot itself has in that folder
 */
export function partName(path: string, taken?: ReadonlySet<string>): string {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  for (let attempt = 0;; attempt++) {
    const hash = createHash("sha256").update(encodeName(path)).update("/".repeat(attempt));
    const name = PREFIX + hash.digest("hex").slice(0, 16);
    if (taken?.has(name) !== true) return folder + name;
  }
}

/** Names of parts in one folder of a snapshot, none of which is a name that the snapshot has there. */
export class PartNames {
  #taken: Promise<ReadonlySet<string>> | undefined;

  /** @param folder Id of the folder; undefined for something that is restored alone */
  constructor(readonly trees: TreeReader, readonly folder: string | undefined) {}

  async of(path: string): Promise<string> {
    if (this.folder === undefined) return partName(path);
    this.#taken ??= this.trees.namesWith(this.folder, PREFIX).then((names) => new Set(names));
    return partName(path, await this.#taken);
  }
}

/** Removes what was written beside something that stays, if it can be; no folder. */
export function dropPart(target: TargetTree, path: string): void {
  try {
    if (target.lstat(path) !== undefined) target.remove(path);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  }
}
