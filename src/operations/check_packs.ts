import { isKind, messageOf } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import type { PackRecord } from "../model/index_object.ts";
import { decoderKey, packKey } from "../model/object_keys.ts";
import { type PackTable, TRAILER_BYTES } from "../model/pack_table.ts";
import { type IndexView, isPackFault } from "../repository/index_view.ts";
import type { Repository } from "../repository/repository.ts";
import { Semaphore } from "../resilience/semaphore.ts";
import type { CheckError, Findings } from "./check_findings.ts";
import { ChunkStates } from "./chunk_states.ts";
import { isObjectFault } from "./damage.ts";
import { NamedDecoders } from "./named_decoders.ts";

const READS_AT_ONCE = 8;

/** What of the packs can be used, and what is to blame for the rest. */
export class PacksCheck {
  readonly states: ChunkStates;
  /** Packs whose table was read, in the order of their names. */
  readonly readable: PackRecord[] = [];
  packsChecked = 0;
  bytesRead = 0;
  /** By name of the pack. */
  readonly #blamed = new Map<string, CheckError>();
  /** Kept back until a snapshot is found to need it: deletion may leave the index naming packs that are gone. */
  readonly #missing = new Set<string>();
  readonly #decoders = new NamedDecoders();

  constructor(
    readonly repository: Repository,
    readonly view: IndexView,
    readonly findings: Findings,
    readonly onEvent: EventSink,
    readonly signal?: AbortSignal,
  ) {
    this.states = new ChunkStates(view.index);
  }

  /** Compares every pack's own table with the index, in both directions. */
  async run(): Promise<void> {
    const { view, findings } = this;
    for (const { key, reason } of view.objects.damaged) findings.error("index_damaged", key, reason);
    for (const { name, reason } of view.damagedPacks) this.#blame(name, `Cannot trust the pack ${name}: ${reason}`);
    for (const { name } of view.missingPacks) this.#missing.add(name);
    const slots = new Semaphore(READS_AT_ONCE);
    await Promise.all([...view.listed.keys()].map((name) => slots.run(() => this.#pack(name), this.signal)));
    this.readable.sort((a, b) => a.name < b.name ? -1 : 1);
    this.#findWrongEntries();
    this.#noteIndexes();
    await this.#findMissingDecoders();
  }

  /** What is stored is judged with all other objects. */
  async #findMissingDecoders(): Promise<void> {
    for (const [sha256, { entry: { pluginId, version, formatId }, packs, isNeeded }] of this.#decoders.all) {
      const key = decoderKey(sha256);
      if (!isNeeded || await this.repository.store.stat(key, this.signal) !== undefined) continue;
      const what = `the decoder of ${pluginId} ${version}, which ${
        packs === 1 ? "1 pack needs" : `${packs} packs need`
      }`;
      const advice = "`axiom repair decoders` puts it back where the plugin is installed";
      this.findings.error("decoder_missing", key, `Cannot find ${what} for the format ${formatId}; ${advice}`);
    }
  }

  async #pack(name: string): Promise<void> {
    this.packsChecked++;
    const total = this.view.listed.size;
    this.onEvent({
      type: "progress",
      operation: "check packs",
      filesDone: this.packsChecked,
      filesTotal: total,
      bytesDone: this.bytesRead,
    });
    const pack = this.view.index.pack(name);
    if (pack === undefined) return; // blamed, or deleted since the listing
    try {
      const table = await this.repository.packs.readTable(pack, this.signal);
      this.bytesRead += pack.tableBytes + TRAILER_BYTES;
      this.#compare(pack, table);
      this.#decoders.add(table);
      this.readable.push(pack);
    } catch (error) {
      if (isKind(error, "object_missing")) this.#missing.add(name);
      else await this.unreadable(name, error);
    }
  }

  #compare(pack: PackRecord, table: PackTable): void {
    const lacking = this.states.confirm(pack, table);
    if (lacking === 0) return;
    const message = `Cannot trust the index: it lacks ${lacking} chunks of the pack ${pack.name}`;
    this.findings.error("index_wrong", packKey(pack.name), message);
  }

  /** Blames a pack for a failed read; throws `error` if it is not the pack's fault. */
  async unreadable(name: string, error: unknown): Promise<void> {
    if (isPackFault(error)) return void this.#blame(name, messageOf(error));
    if (!await isObjectFault(this.repository, error, this.signal)) throw error;
    this.#blamed.set(name, this.findings.error("pack_unreadable", packKey(name), messageOf(error)));
  }

  /** The one error of a pack, made when it is first blamed. */
  blame(name: string, message: string): CheckError {
    return this.#blamed.get(name) ?? this.#blame(name, message);
  }

  #blame(name: string, message: string): CheckError {
    const known = this.#blamed.get(name);
    if (known !== undefined) return known;
    const error = this.findings.error("pack_damaged", packKey(name), message);
    this.#blamed.set(name, error);
    return error;
  }

  /** What is to blame that no copy of a chunk in one of these packs is whole. */
  culprits(packs: readonly PackRecord[]): CheckError[] {
    return packs.map(({ name }) => {
      const known = this.#blamed.get(name);
      if (known !== undefined) return known;
      const error = this.#missing.has(name)
        ? this.findings.pending("pack_missing", packKey(name), `Cannot find the pack ${name}, which is needed`)
        : this.findings.pending("index_wrong", packKey(name), `Cannot trust what the index says of the pack ${name}`);
      this.#blamed.set(name, error);
      return error;
    });
  }

  #findWrongEntries(): void {
    const { wrong } = this.states.countByPack();
    const readable = new Set(this.readable);
    this.view.index.packs().forEach((pack, number) => {
      if (wrong[number] === 0 || !readable.has(pack)) return;
      const message = `Cannot trust the index: ${wrong[number]} of its entries of the pack ${pack.name} are wrong`;
      this.#blamed.set(pack.name, this.findings.error("index_wrong", packKey(pack.name), message));
    });
  }

  #noteIndexes(): void {
    const { view, findings } = this;
    if (view.objects.damaged.length === 0 && view.unindexed.length > 0) {
      const packs = view.unindexed.length === 1 ? "1 pack is" : `${view.unindexed.length} packs are`;
      const message =
        `${packs} in no index object, read from their own tables: nothing is lost; a backup at work will ` +
        "add its own, `axiom repair index` adds all";
      findings.note("unindexed_packs", "index/", message);
    }
    if (view.objects.superseded.length > 0) {
      const message = `${view.objects.superseded.length} index objects were replaced and can go`;
      findings.note("superseded_indexes", "index/", message);
    }
  }

  /** Packs that nothing needs, and index entries of packs that are gone; to be asked after the snapshots were read. */
  unused(): { packs: number; bytes: number } {
    const { used } = this.states.countByPack();
    const unused = { packs: 0, bytes: 0 };
    this.view.index.packs().forEach((pack, number) => {
      const sizeBytes = this.view.listed.get(pack.name);
      if (sizeBytes === undefined || used[number] > 0 || this.#blamed.has(pack.name)) return;
      unused.packs++;
      unused.bytes += sizeBytes;
    });
    const gone = [...this.#missing].filter((name) => !this.#blamed.has(name));
    if (gone.length > 0) {
      const message = `The index names ${gone.length} packs that are gone and that nothing needs`;
      this.findings.note("packs_gone", "index/", message);
    }
    return unused;
  }
}
