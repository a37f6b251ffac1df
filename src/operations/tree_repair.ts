import type { Bytes } from "../base/bytes.ts";
import { throwIfAborted } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Entry } from "../model/entry.ts";
import { type PutDocument, TreeWriter } from "../repository/tree_writer.ts";
import { joinPath } from "./listed_entry.ts";
import type { TreeSurvey } from "./tree_survey.ts";

/** Something of a snapshot that its repair leaves out. */
export interface DroppedPart {
  path: string;
  /** A folder with everything below it, an unknown part of a folder's entries, a file, or an extended attribute. */
  what: "folder" | "folder_part" | "file" | "xattr";
  reason: string;
}

interface Reasoned {
  message: string;
}

/** Writes folders again without what a survey found lost; documents that lost nothing are taken as they are. */
export class TreeRepair<Culprit extends Reasoned> {
  /** By old id; undefined for folders that cannot be read. */
  readonly #repaired = new Map<string, string | undefined>();

  constructor(
    readonly survey: TreeSurvey<Culprit>,
    readonly put: PutDocument,
    readonly splitKey: Bytes,
    readonly keepFiles: boolean,
  ) {}

  /** Id of the folder without what is lost; undefined if its first document is. The survey must have visited it. */
  async folder(id: string): Promise<string | undefined> {
    if (this.survey.tallyOf(id) === undefined) return id;
    if (this.survey.lostDocument(id) !== undefined) return undefined;
    if (this.#repaired.has(id)) return this.#repaired.get(id);
    const writer = new TreeWriter(this.put, this.splitKey);
    for await (const entry of survivingEntries(this.survey, id)) {
      const repaired = await this.#entry(entry);
      if (repaired !== undefined) await writer.add(repaired);
    }
    const repaired = await writer.finish();
    this.#repaired.set(id, repaired);
    return repaired;
  }

  async #entry(entry: Entry): Promise<Entry | undefined> {
    const { content, xattrs } = await this.survey.losses(entry);
    if (content.size > 0 && !this.keepFiles) return undefined;
    let repaired = entry;
    if (xattrs.size > 0) {
      // So that the next backup reads it again: what is left looks like what is on disk.
      repaired = { ...entry, changed: true, xattrs: entry.xattrs!.filter(({ name }) => !xattrs.has(name)) };
      if (repaired.xattrs!.length === 0) delete repaired.xattrs;
    }
    if (entry.type !== "dir") return repaired;
    const subtree = await this.folder(entry.subtree!);
    if (subtree === undefined) return undefined;
    return subtree === entry.subtree ? repaired : { ...repaired, subtree };
  }
}

/** The entries of a folder in those of its documents that can be read. */
async function* survivingEntries<Culprit>(survey: TreeSurvey<Culprit>, id: string): AsyncGenerator<Entry> {
  if (survey.lostDocument(id) !== undefined) return;
  const node = await survey.trees.node(id);
  if ("entries" in node) yield* node.entries;
  else for (const child of node.children) yield* survivingEntries(survey, child.id);
}

/** What a repair leaves out of the folder `root`, with paths from there; at most `LIMITS.affectedPathsMax` parts are listed. */
export async function listDropped<Culprit extends Reasoned>(
  survey: TreeSurvey<Culprit>,
  root: string,
  keepFiles: boolean,
  signal?: AbortSignal,
): Promise<{ parts: DroppedPart[]; count: number }> {
  const parts: DroppedPart[] = [];
  let count = 0;
  const drop = (path: string, what: DroppedPart["what"], culprits: Iterable<Culprit>) => {
    count++;
    const [first] = culprits;
    if (parts.length < LIMITS.affectedPathsMax) parts.push({ path, what, reason: first.message });
  };
  const visit = async (document: string, path: string, isFirst: boolean): Promise<void> => {
    throwIfAborted(signal);
    if (survey.tallyOf(document) === undefined) return;
    const lost = survey.lostDocument(document);
    if (lost !== undefined) return drop(path, isFirst ? "folder" : "folder_part", lost);
    const node = await survey.trees.node(document);
    if ("children" in node) { for (const { id } of node.children) await visit(id, path, false); }
    else for (const entry of node.entries) await visitEntry(entry, joinPath(path, entry.name));
  };
  const visitEntry = async (entry: Entry, path: string): Promise<void> => {
    if (entry.type === "dir") await visit(entry.subtree!, path, true);
    const { content, xattrs } = await survey.losses(entry);
    if (content.size > 0 && !keepFiles) return drop(path, "file", content);
    for (const culprits of xattrs.values()) drop(path, "xattr", culprits);
  };
  await visit(root, "/", true);
  return { parts, count };
}
