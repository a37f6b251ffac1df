import { type Bytes, KIB } from "../base/bytes.ts";
import { isKind, messageOf } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { encodeName } from "../base/names.ts";
import { type FileStat, type FileSystem, SystemError } from "../platform/file_system.ts";
import type { FilterEntry } from "../plugins/filter_entries.ts";
import type { PluginIdentity } from "../plugins/plugin_failure.ts";
import type { EntryFilter } from "../plugins/wasm_filter.ts";

const FIRST_BYTES_MAX = 4 * KIB;
const KINDS: Partial<Record<FileStat["type"], FilterEntry["kind"]>> = { file: "file", dir: "folder", symlink: "link" };
/** A filter that failed so often is not asked again in this run. */
const FAILURES_MAX = 3;

export interface GatedEntry {
  path: string;
  /** To its source. */
  relative: string;
  stat: FileStat;
}

/** A generation of a filter that judged entries. */
export interface UsedFilter {
  plugin: PluginIdentity;
  entries: number;
  leftOut: number;
}

/**
 * Filters of plugins in front of what patterns leave. All of them have to agree that an entry is saved. Where one fails, it
 * leaves out nothing: what cannot be judged is saved, and a person is told.
 */
export class FilterGate {
  readonly #failures = new Map<EntryFilter, number>();
  /** By the SHA-256 of their plugins. */
  readonly #used = new Map<string, UsedFilter>();

  /** @param sources Absolute; they and what leads to them are saved whatever a filter says */
  constructor(
    readonly filters: readonly EntryFilter[],
    readonly files: FileSystem,
    readonly sources: readonly string[],
    readonly onEvent: EventSink,
    readonly signal?: AbortSignal,
  ) {}

  /** Those that judged something so far. */
  get used(): UsedFilter[] {
    return [...this.#used.values()];
  }

  /** Those of `entries` that are left out. */
  async leftOut(entries: readonly GatedEntry[]): Promise<Set<GatedEntry>> {
    const asked = entries.filter(({ path }) =>
      !this.sources.some((each) => each === path || each.startsWith(`${path}/`))
    );
    const described = asked.map((entry) => this.#describe(entry));
    const out = new Set<GatedEntry>();
    for (const filter of asked.length === 0 ? [] : this.filters) {
      const saved = await this.#ask(filter, described);
      asked.forEach((entry, i) => saved?.[i] === false && out.add(entry));
    }
    return out;
  }

  async #ask(filter: EntryFilter, entries: readonly FilterEntry[]): Promise<boolean[] | undefined> {
    const failures = this.#failures.get(filter) ?? 0;
    if (failures >= FAILURES_MAX) return undefined;
    try {
      const { plugin, saved } = await filter.select(entries, this.signal);
      this.#count(plugin, saved);
      return saved;
    } catch (error) {
      if (isKind(error, "interrupted")) throw error;
      if (!isKind(error, "plugin_failed", "plugin_missing")) throw error;
      this.#failures.set(filter, failures + 1);
      const end = failures + 1 < FAILURES_MAX ? "" : "; it is not asked again";
      const message = `${messageOf(error)}; what it was asked about is saved${end}`;
      this.onEvent({ type: "warning", code: "filter", message });
      return undefined;
    }
  }

  #count(plugin: PluginIdentity, saved: readonly boolean[]): void {
    const used = this.#used.get(plugin.sha256) ?? { plugin, entries: 0, leftOut: 0 };
    this.#used.set(plugin.sha256, used);
    used.entries += saved.length;
    used.leftOut += saved.filter((isSaved) => !isSaved).length;
  }

  #describe({ path, relative, stat }: GatedEntry): FilterEntry {
    const { type, mode, sizeBytes, mtimeNs } = stat;
    return {
      kind: KINDS[type] ?? "other",
      mode,
      sizeBytes,
      modifiedNs: BigInt(mtimeNs),
      path: encodeName(relative),
      firstBytes: type === "file" && sizeBytes > 0 ? this.#firstBytes(path) : new Uint8Array(0),
    };
  }

  #firstBytes(path: string): Bytes {
    const bytes = new Uint8Array(FIRST_BYTES_MAX);
    try {
      const file = this.files.openForReading(path);
      try {
        return bytes.subarray(0, file.read(bytes, 0));
      } finally {
        file.close();
      }
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return new Uint8Array(0); // saving it tells why
    }
  }
}
