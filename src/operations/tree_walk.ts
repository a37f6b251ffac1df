import { AxiomError, throwIfAborted } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Entry } from "../model/entry.ts";
import type { TreeReader } from "../repository/tree_reader.ts";
import type { ReadContext } from "./list_snapshots.ts";
import { damageReport, joinPath } from "./listed_entry.ts";

export interface WalkedEntry {
  path: string;
  entry: Entry;
}

/** A folder that is being read: one leaf of it is in memory. */
class FolderCursor {
  #leaf: Entry[] = [];
  #at = 0;
  readonly #leaves: AsyncGenerator<Entry[]>;

  constructor(trees: TreeReader, readonly id: string, readonly path: string) {
    this.#leaves = trees.leaves(id);
  }

  async next(): Promise<Entry | undefined> {
    while (this.#at === this.#leaf.length) {
      const { done, value } = await this.#leaves.next();
      if (done) return undefined;
      this.#leaf = value;
      this.#at = 0;
    }
    return this.#leaf[this.#at++];
  }
}

/**
 * Everything below a folder in order of the names' bytes, each folder before what it holds; `enter` says which folders to
 * look into, all by default. A folder that cannot be read is an event, and the rest follows.
 */
export async function* walkTree(
  trees: TreeReader,
  id: string,
  path: string,
  context: ReadContext,
  enter: (folder: WalkedEntry) => boolean = () => true,
): AsyncGenerator<WalkedEntry> {
  const stack = [new FolderCursor(trees, id, path)];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    throwIfAborted(context.signal);
    let entry: Entry | undefined;
    try {
      entry = await top.next();
    } catch (error) {
      context.onEvent({ type: "error", error: damageReport(error), path: top.path });
    }
    if (entry === undefined) {
      stack.pop();
      continue;
    }
    const walked = { path: joinPath(top.path, entry.name), entry };
    yield walked;
    if (entry.type !== "dir" || !enter(walked)) continue;
    if (stack.length === LIMITS.treeDepthMax) throw tooDeep(walked.path);
    stack.push(new FolderCursor(trees, entry.subtree!, walked.path));
  }
}

function tooDeep(path: string): AxiomError {
  const start = `${path.slice(0, 80)}…`;
  return new AxiomError(
    "limit_exceeded",
    `Cannot read ${start}: more than ${LIMITS.treeDepthMax} folders in each other`,
  );
}
