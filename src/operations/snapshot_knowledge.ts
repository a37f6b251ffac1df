import type { Snapshot } from "../model/snapshot.ts";
import { FAULTS_KEPT } from "./backup_tally.ts";

/**
 * What a snapshot can say about what it does not hold. Folders above its sources were never listed, and what could not be
 * read is missing although it was there: neither is a reason to delete anything.
 */
export class SnapshotKnowledge {
  readonly #sources: readonly string[];
  readonly #faults: readonly string[];
  readonly #allFaultsKnown: boolean;
  readonly #root: string;

  /** @param root Path of the snapshot that the paths asked about are relative to */
  constructor({ paths, faults = [] }: Snapshot, root = "/") {
    this.#sources = paths;
    this.#faults = faults.map(({ path }) => path);
    this.#allFaultsKnown = faults.length < FAULTS_KEPT;
    this.#root = `/${root.split("/").filter((name) => name !== "" && name !== ".").join("/")}`;
  }

  /** Whether everything in the folder was looked at. */
  isComplete(relative: string): boolean {
    const folder = this.#absolute(relative);
    return this.#allFaultsKnown && this.#sources.some((source) => isWithin(folder, source));
  }

  /** Whether it, or something in it, could not be read when the snapshot was made. */
  mayHaveBeen(relative: string): boolean {
    const path = this.#absolute(relative);
    return this.#faults.some((fault) => isWithin(path, fault) || isWithin(fault, path));
  }

  #absolute(relative: string): string {
    if (relative === "") return this.#root;
    return this.#root === "/" ? `/${relative}` : `${this.#root}/${relative}`;
  }
}

function isWithin(path: string, folder: string): boolean {
  return folder === "/" || path === folder || path.startsWith(`${folder}/`);
}
