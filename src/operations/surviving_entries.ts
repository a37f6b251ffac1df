import { throwIfAborted } from "../base/errors.ts";
import type { Entry } from "../model/entry.ts";
import type { Snapshot, SnapshotStatistics } from "../model/snapshot.ts";
import { joinPath } from "./listed_entry.ts";
import type { TreeSurvey } from "./tree_survey.ts";

type Counts = Pick<SnapshotStatistics, "files" | "dirs" | "others" | "bytes">;

/** Counts what a repair leaves of a snapshot, as a backup counts what it saves: without the folders above the sources. */
export class SurvivingEntries<Culprit> {
  #counts: Counts = { files: 0, dirs: 0, others: 0, bytes: 0 };
  #sources: readonly string[] = [];

  constructor(readonly survey: TreeSurvey<Culprit>, readonly keepFiles: boolean, readonly signal?: AbortSignal) {}

  async of({ root, paths }: Snapshot): Promise<Counts> {
    this.#counts = { files: 0, dirs: paths.includes("/") ? 1 : 0, others: 0, bytes: 0 };
    this.#sources = paths;
    await this.#document(root, "/");
    return this.#counts;
  }

  async #document(id: string, path: string): Promise<void> {
    throwIfAborted(this.signal);
    if (this.survey.lostDocument(id) !== undefined) return;
    const node = await this.survey.trees.node(id);
    if ("children" in node) {
      for (const child of node.children) await this.#document(child.id, path);
      return;
    }
    const isWhole = this.survey.tallyOf(id) === undefined;
    for (const entry of node.entries) await this.#entry(entry, joinPath(path, entry.name), isWhole);
  }

  async #entry(entry: Entry, path: string, isWhole: boolean): Promise<void> {
    if (entry.type === "dir") {
      if (this.survey.lostDocument(entry.subtree!) !== undefined) return;
      if (this.#sources.some((source) => source === "/" || path === source || path.startsWith(`${source}/`))) {
        this.#counts.dirs++;
      }
      await this.#document(entry.subtree!, path);
    } else if (entry.type !== "file") this.#counts.others++;
    else if (isWhole || this.keepFiles || (await this.survey.losses(entry)).content.size === 0) {
      this.#counts.files++;
      this.#counts.bytes += Number(entry.size);
    }
  }
}
