import { setImmediate } from "node:timers";
import { LIMITS } from "../base/limits.ts";
import { compareNames, decodeName } from "../base/names.ts";
import { type FileSystem, SystemError } from "../platform/file_system.ts";
import { copyOfPacked, PACKED, packedBytes, type PackedFolder } from "../platform/packed_folder.ts";
import { deviceNumber, TYPES } from "../platform/stat_buffer.ts";
import type { SavePolicy } from "./save_policy.ts";
import { pathOf, relativeOf } from "./unchanged_folders.ts";

const BREATH_MS = 4;

type ScanPolicy = Pick<SavePolicy, "unchanged" | "select">;

/**
 * Looks at the sources while something else takes its time, such as the derivation of a key in a thread of its own. What it
 * finds is taken by the backup that comes after; what it did not come to is looked at then.
 */
export class EarlyScan {
  readonly #folders = new Map<string, PackedFolder>();
  #bytes = 0;
  #stopped = false;

  /** @param startedNs Now */
  constructor(readonly files: FileSystem, readonly startedNs: string) {}

  /** Folders in the order in which a backup walks them, until it is stopped or has enough. Never throws. */
  async run(sources: readonly string[], policy: ScanPolicy): Promise<void> {
    if (this.files.packed === undefined || policy.unchanged === "one_by_one") return;
    const left = [...sources].reverse().map((path) => ({ path, relative: "" }));
    let breathAt = performance.now() + BREATH_MS;
    while (left.length > 0 && !this.#stopped && this.#bytes < LIMITS.earlyScanBytesMax) {
      const { path, relative } = left.pop()!;
      const folder = this.#look(path);
      if (folder !== undefined) left.push(...this.#below(path, relative, folder, policy));
      if (performance.now() < breathAt) continue;
      await new Promise((resolve) => setImmediate(resolve));
      breathAt = performance.now() + BREATH_MS;
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Gives up what was found: a first backup has nothing to compare it with. */
  forget(): void {
    this.stop();
    this.#folders.clear();
  }

  /** What was found of a folder, once. */
  take(path: string): PackedFolder | undefined {
    const folder = this.#folders.get(path);
    this.#folders.delete(path);
    return folder;
  }

  /** What cannot be looked at is told by the backup. */
  #look(path: string): PackedFolder | undefined {
    try {
      const packed = this.files.packed!(path);
      if (packed === undefined) return undefined;
      const folder = copyOfPacked(packed);
      this.#folders.set(path, folder);
      this.#bytes += packedBytes(folder);
      return folder;
    } catch (error) {
      if (error instanceof SystemError) return undefined;
      throw error;
    }
  }

  /** In reverse order of their names. */
  #below(path: string, relative: string, folder: PackedFolder, policy: ScanPolicy) {
    const below: { path: string; relative: string }[] = [];
    for (const { name, device } of sortedFolders(folder)) {
      const child = { path: pathOf(path, name), relative: relativeOf(relative, name) };
      const isSaved = policy.unchanged === "as_it_is" ||
        policy.select(child.path, child.relative, { type: "dir", sizeBytes: 0, device }) === "save";
      if (isSaved) below.push(child);
    }
    return below.reverse();
  }
}

function sortedFolders({ count, entries, names }: PackedFolder): { name: string; device: string }[] {
  const folders: { name: string; device: string }[] = [];
  for (let number = 0; number < count; number++) {
    const at = PACKED.words * number;
    if (TYPES[entries[at + PACKED.mode] >>> 12] !== "dir") continue;
    const start = entries[at + PACKED.nameStart];
    const name = decodeName(names.subarray(start, names.indexOf(0, start)));
    folders.push({ name, device: deviceNumber(entries[at + PACKED.deviceMajor], entries[at + PACKED.deviceMinor]) });
  }
  return folders.sort((a, b) => compareNames(a.name, b.name));
}
