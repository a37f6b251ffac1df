import { AxiomError, isKind } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import type { PackRecord } from "../model/index_object.ts";
import type { PackTable } from "../model/pack_table.ts";
import type { Repository } from "../repository/repository.ts";
import { Semaphore } from "../resilience/semaphore.ts";
import type { WorkerPool } from "../stages/worker_pool.ts";
import type { PacksCheck } from "./check_packs.ts";
import { type DataSelection, selectPacks } from "./data_selection.ts";
import { type PackReading, PackVerifier } from "./pack_verifier.ts";

/** While the workers finish one pack the next is read. */
const PACKS_AT_ONCE = 2;
const FRAMES_NAMED_MAX = 5;

/** Reads packs to the last byte. What was read once is remembered by name, for packs never change. */
export class DataCheck {
  /** Readings that showed damage; the others were whole. */
  readonly #damaged = new Map<string, PackReading>();
  readonly #read = new Set<string>();
  /** Packs whose decoder is a plugin that is not there or may not run, and what the first of them said. */
  readonly #unjudged = new Set<string>();
  #noDecoder: AxiomError | undefined;
  bytesRead = 0;

  constructor(
    readonly repository: Repository,
    readonly pool: () => WorkerPool,
    readonly onEvent: EventSink,
    readonly signal?: AbortSignal,
  ) {}

  get packsRead(): number {
    return this.#read.size;
  }

  /** Why not all that was chosen could be judged. */
  get unjudged(): AxiomError | undefined {
    if (this.#noDecoder === undefined) return undefined;
    const { kind, message, hint } = this.#noDecoder, { size } = this.#unjudged;
    const packs = size === 1 ? "1 pack was" : `${size} packs were`;
    const all = `${message}; ${packs} not read in full`;
    return new AxiomError(kind, all, { hint, cause: this.#noDecoder });
  }

  async run(packs: PacksCheck, selection: DataSelection): Promise<void> {
    const chosen = selectPacks(packs.readable, selection);
    const unread = chosen.filter(({ name }) => !this.#read.has(name));
    const bytesTotal = unread.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
    const startBytes = this.bytesRead;
    let filesDone = 0;
    const progress = () =>
      this.onEvent({
        type: "progress",
        operation: "check data",
        filesDone,
        filesTotal: unread.length,
        bytesDone: this.bytesRead - startBytes,
        bytesTotal,
      });
    const pool = this.pool();
    const verifier = new PackVerifier(this.repository, pool, (bytes) => {
      this.bytesRead += bytes;
      progress();
    }, this.signal);
    const slots = new Semaphore(PACKS_AT_ONCE);
    try {
      await Promise.all(unread.map((pack) =>
        slots.run(async () => {
          await this.#pack(packs, verifier, pack);
          filesDone++;
          progress();
        }, this.signal)
      ));
    } finally {
      pool.close();
    }
    for (const pack of chosen) await this.#apply(packs, pack);
  }

  async #pack(packs: PacksCheck, verifier: PackVerifier, pack: PackRecord): Promise<void> {
    try {
      const table = await this.repository.packs.table(pack, this.signal);
      const sizeBytes = packs.view.listed.get(pack.name) ?? pack.storedBytes;
      const reading = await verifier.readAll(pack, table, sizeBytes);
      if (!reading.named || reading.badFrames.size > 0) {
        this.#damaged.set(pack.name, reading);
        packs.blame(pack.name, describe(pack, table, reading));
      }
      this.#read.add(pack.name);
    } catch (error) {
      if (isKind(error, "object_missing")) return; // deleted meanwhile; the check is done over if it is needed
      if (isKind(error, "plugin_missing", "plugin_refused")) {
        this.#noDecoder ??= error;
        this.#unjudged.add(pack.name);
        return;
      }
      await packs.unreadable(pack.name, error);
      packs.states.refutePack(pack);
    }
  }

  async #apply(packs: PacksCheck, pack: PackRecord): Promise<void> {
    const reading = this.#damaged.get(pack.name);
    if (reading === undefined) return;
    const table = await this.repository.packs.table(pack, this.signal);
    packs.blame(pack.name, describe(pack, table, reading));
    for (const [frame, { chunks }] of reading.badFrames) {
      const numbers = chunks === "all" ? table.frames[frame].chunks.keys() : chunks;
      for (const chunk of numbers) packs.states.refute(pack, table, frame, chunk);
    }
  }
}

/** Says what is damaged of a pack, and how far it reaches. */
export function describe(pack: PackRecord, table: PackTable, { badFrames }: PackReading): string {
  const what = `Cannot trust the pack ${pack.name}: `;
  if (badFrames.size === 0) {
    return `${what}its bytes are not what its name says, but all ${table.frames.length} frames are whole; ` +
      "the damage lies in padding, or what follows the pack";
  }
  const chunks = [...badFrames].reduce(
    (sum, [frame, { chunks }]) => sum + (chunks === "all" ? table.frames[frame].chunks.length : chunks.length),
    0,
  );
  const named = [...badFrames].sort(([a], [b]) => a - b).slice(0, FRAMES_NAMED_MAX);
  const more = badFrames.size > named.length ? `, and ${badFrames.size - named.length} more` : "";
  const list = named.map(([frame, { reason }]) => `frame ${frame} (${reason})`).join(", ");
  return `${what}${badFrames.size} of ${table.frames.length} frames with ${chunks} chunks are damaged: ${list}${more}`;
}
