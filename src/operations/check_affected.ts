import { throwIfAborted } from "../base/errors.ts";
import type { TreeReader } from "../repository/tree_reader.ts";
import type { StoredSnapshot } from "../repository/snapshots.ts";
import type { CheckError, Findings } from "./check_findings.ts";
import { joinPath } from "./listed_entry.ts";
import type { TreeSurvey } from "./tree_survey.ts";

/**
 * Counts what of each snapshot every error affects, and lists it as long as there is room. Only documents that lead to a
 * loss are read again, and none once all lists are full.
 */
export class AffectedPaths {
  constructor(
    readonly trees: TreeReader,
    readonly survey: TreeSurvey<CheckError>,
    readonly findings: Findings,
    readonly signal?: AbortSignal,
  ) {}

  async addSnapshot({ id, snapshot }: StoredSnapshot): Promise<void> {
    const tally = this.survey.tallyOf(snapshot.root);
    if (tally === undefined) return;
    for (const [error, count] of tally) error.affectedCount += count;
    await this.#folder(id, snapshot.root, "/");
  }

  async #folder(snapshotId: string, document: string, path: string): Promise<void> {
    throwIfAborted(this.signal);
    const tally = this.survey.tallyOf(document);
    if (tally === undefined || ![...tally.keys()].some((error) => this.findings.hasRoom(error))) return;
    const lost = this.survey.lostDocument(document);
    if (lost !== undefined) return this.#list(lost, snapshotId, path);
    const node = await this.trees.node(document);
    if ("children" in node) {
      for (const { id } of node.children) await this.#folder(snapshotId, id, path);
      return;
    }
    for (const entry of node.entries) {
      const entryPath = joinPath(path, entry.name);
      if (entry.type === "dir") await this.#folder(snapshotId, entry.subtree!, entryPath);
      const { content, xattrs } = await this.survey.losses(entry);
      const errors = new Set(content);
      for (const culprits of xattrs.values()) for (const error of culprits) errors.add(error);
      this.#list(errors, snapshotId, entryPath);
    }
  }

  #list(errors: Iterable<CheckError>, snapshotId: string, path: string): void {
    for (const error of errors) this.findings.list(error, snapshotId, path);
  }
}
