import { AxiomError, reportError } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { displayName } from "../base/names.ts";
import { type FileSystem, SystemError } from "../platform/file_system.ts";
import type { EntryFilter } from "../plugins/wasm_filter.ts";
import type { StoredSnapshot } from "../repository/snapshots.ts";
import type { RepositoryWriter } from "../repository/writer.ts";
import type { BackupSource } from "./backup_source.ts";
import type { BackupTally } from "./backup_tally.ts";
import { ChangeDetector } from "./change_detection.ts";
import type { EarlyScan } from "./early_scan.ts";
import { FilterGate, type UsedFilter } from "./filter_gate.ts";
import { FileSaver } from "./file_saver.ts";
import { sourceTree, SourceTreeSaver } from "./source_tree.ts";
import { KnownFoldersFile } from "./known_folders_file.ts";
import type { SavePolicy } from "./save_policy.ts";
import { type OfferedStreams, offeredStreams, type StreamFolderOptions } from "./offered_streams.ts";
import { StreamFolder, streamFolderPath, unsaved, type UsedSource } from "./stream_folder.ts";
import { TreeSaver } from "./tree_saver.ts";

export interface FileSourceOptions {
  /** Absolute and normalized. */
  paths: string[];
  /** Sources that were asked for and cannot be saved; reported and counted. */
  faults?: readonly AxiomError[];
  /** Read everything, whatever it looks like. */
  force: boolean;
  policy: SavePolicy;
  /** Plugins whose streams are saved beside them. */
  streams?: readonly StreamFolderOptions[];
  /** Of these paths, begun before anything of the repository was known. */
  early?: EarlyScan;
}

export interface FileSourceContext {
  files: FileSystem;
  onEvent: EventSink;
  filters?: readonly EntryFilter[];
  /** Folder of the cache; undefined to do without. */
  cache?: string;
  signal?: AbortSignal;
}

/** Files and folders of this machine, and what plugins give. */
export class FileSource implements BackupSource {
  readonly isRepeatable = true;
  used: readonly UsedSource[] = [];
  filters: readonly UsedFilter[] = [];
  #existing: string[] = [];
  #offers: OfferedStreams[] = [];
  #early: EarlyScan | undefined;
  #isBegun = false;

  constructor(readonly options: FileSourceOptions, readonly context: FileSourceContext) {}

  begin(nowNs: string): string {
    this.#early = this.#isBegun ? undefined : this.options.early;
    this.#isBegun = true;
    return this.#early?.startedNs ?? nowNs;
  }

  async paths(tally: BackupTally): Promise<string[]> {
    for (const fault of this.options.faults ?? []) tally.lostSource(fault);
    const missing: [path: string, error: SystemError][] = [];
    const existing = this.options.paths.filter((path) => {
      try {
        this.context.files.lstat(path);
        return true;
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        missing.push([path, error]);
        return false;
      }
    });
    const failed = await this.#ask();
    const made = this.#offers.map(({ options }) => streamFolderPath(options.provider));
    if (existing.length + made.length > 0) {
      for (const [path, error] of missing) tally.missingSource(path, error);
      for (const [path, error] of failed) tally.report(path, reportError(unsaved(path, error)));
      this.#existing = existing.sort();
      return [...existing, ...made].sort();
    }
    if (failed.length > 0) throw failed[0][1];
    const what = this.options.paths.map(displayName).join(", ") || "what was listed";
    throw new AxiomError("source_missing", `Cannot back up ${what}: no such file or folder`, {
      hint: "Check the paths; no snapshot was made",
    });
  }

  /** Asks plugins what they have before anything is uploaded; returns those that cannot say. */
  async #ask(): Promise<[path: string, error: AxiomError][]> {
    const failed: [path: string, error: AxiomError][] = [];
    for (const each of this.options.streams ?? []) {
      const offer = await offeredStreams(each, this.context.signal);
      if (offer instanceof AxiomError) failed.push([streamFolderPath(each.provider), offer]);
      else this.#offers.push(offer);
    }
    return failed;
  }

  end(): void {
    for (const { session } of this.#offers.splice(0)) session.end();
  }

  async save(writer: RepositoryWriter, tally: BackupTally, parent: StoredSnapshot | undefined): Promise<string> {
    const { policy, force } = this.options;
    const { files, signal } = this.context;
    if (parent !== undefined) {
      const { files, bytes } = parent.snapshot.statistics;
      tally.expected = { files, bytes };
    }
    const early = parent === undefined ? undefined : this.#early;
    if (early === undefined) this.#early?.forget();
    this.#early = undefined;
    const trees = writer.trees();
    const saver = new FileSaver(files, writer);
    const detector = parent === undefined || force
      ? undefined
      : new ChangeDetector(parent.snapshot.scan_started, files.otherClocks());
    const { filters = [], onEvent, cache } = this.context;
    const remembered = detector && await KnownFoldersFile.open(cache, writer, policy, files.otherClocks());
    const gate = filters.length === 0 ? undefined : new FilterGate(filters, files, this.#existing, onEvent, signal);
    const walker = new TreeSaver(
      files,
      writer,
      saver,
      trees,
      policy,
      detector,
      tally,
      early,
      remembered?.known,
      gate,
      signal,
    );
    const splitKey = writer.repository.keys.treeSplitKey();
    const folders = this.#offers.map((offer) => new StreamFolder(offer, writer, trees, tally, signal));
    try {
      const sources = new SourceTreeSaver(files, walker, trees, writer.metadata.put, splitKey, folders);
      const tree = sourceTree([...this.#existing, ...folders.map(({ path }) => path)]);
      const root = await sources.save(tree, parent?.snapshot.root);
      await remembered?.save();
      return root;
    } finally {
      this.used = folders.flatMap(({ used }) => used);
      this.filters = gate?.used ?? [];
    }
  }
}
