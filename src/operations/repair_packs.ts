import { isKind, messageOf } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import type { PackRecord } from "../model/index_object.ts";
import type { IndexView } from "../repository/index_view.ts";
import type { Repository } from "../repository/repository.ts";
import { withWriter } from "../repository/with_writer.ts";
import type { WriterIdentity } from "../repository/writer.ts";
import type { FrameStyle } from "../stages/worker_protocol.ts";
import type { WorkerPool } from "../stages/worker_pool.ts";
import { describe } from "./check_data.ts";
import { type DataSelection, selectPacks } from "./data_selection.ts";
import { isDamage } from "./damage.ts";
import { type PackReading, PackVerifier } from "./pack_verifier.ts";
import { PackReplacement } from "./pack_replacement.ts";

export interface RepairPacksOptions {
  /** Packs to read to the last byte. */
  selection: DataSelection;
  /** Only says what would be done. */
  dryRun: boolean;
  /** For trees. */
  metadataStyle: FrameStyle;
}

export interface RepairPacksContext {
  pool: () => WorkerPool;
  identity: WriterIdentity;
  onEvent: EventSink;
  signal?: AbortSignal;
}

/** A pack some of whose bytes are not what they were. */
export interface DamagedPackReport {
  name: string;
  reason: string;
  chunksLost: number;
  chunksWhole: number;
  /** Where the pack is now; null if it was left where it is. */
  asideKey: string | null;
}

export interface RepairPacksSummary {
  dryRun: boolean;
  packsRead: number;
  bytesRead: number;
  packs: DamagedPackReport[];
  /** Whole chunks that had to be stored again; the others were found whole elsewhere. */
  chunksCopied: number;
  bytesCopied: number;
  durationSeconds: number;
}

/** A damaged pack, and what was found in it. */
export interface DamagedReading {
  pack: PackRecord;
  reading: PackReading;
}

/**
 * Finds packs with damaged bytes and takes them out of use, so that the next backup stores again what is lost of them. What
 * is whole in them is kept: {@linkcode PackReplacement} says how, and why no other client is disturbed.
 *
 * A pack whose table cannot be read is no matter of this, but of `repairIndex`.
 */
export async function repairPacks(
  repository: Repository,
  options: RepairPacksOptions,
  context: RepairPacksContext,
): Promise<RepairPacksSummary> {
  const { clock } = repository.context;
  const started = clock.monotonicMs();
  if (!options.dryRun) repository.require("write");
  const pool = context.pool();
  try {
    const survey = new DataSurvey(repository, pool, context);
    await survey.run(options.selection);
    const { damaged, packsRead, bytesRead } = survey;
    const packs = await Promise.all(damaged.map((each) => reportOf(repository, each, context.signal)));
    const copied = options.dryRun || damaged.length === 0
      ? { chunksCopied: 0, bytesCopied: 0 }
      : await replace(repository, survey, packs, pool, options, context);
    const durationSeconds = (clock.monotonicMs() - started) / 1000;
    return { dryRun: options.dryRun, packsRead, bytesRead, packs, ...copied, durationSeconds };
  } finally {
    pool.close();
  }
}

/** Enters into `reports` where the packs are now. */
async function replace(
  repository: Repository,
  { verifier, damaged }: DataSurvey,
  reports: readonly DamagedPackReport[],
  pool: WorkerPool,
  { metadataStyle: style }: RepairPacksOptions,
  { identity, onEvent, signal }: RepairPacksContext,
): Promise<Pick<RepairPacksSummary, "chunksCopied" | "bytesCopied">> {
  return await withWriter(repository, { pool, identity, style, signal }, async (writer) => {
    const replacement = new PackReplacement(writer, verifier, damaged, onEvent);
    const asideKeys = await replacement.run();
    for (const report of reports) report.asideKey = asideKeys.get(report.name) ?? null;
    return { chunksCopied: replacement.chunksCopied, bytesCopied: replacement.bytesCopied };
  });
}

/** Reads packs one after another and keeps what shows damage. */
class DataSurvey {
  readonly verifier: PackVerifier;
  readonly damaged: DamagedReading[] = [];
  packsRead = 0;
  bytesRead = 0;

  constructor(readonly repository: Repository, pool: WorkerPool, readonly context: RepairPacksContext) {
    this.verifier = new PackVerifier(repository, pool, (bytes) => this.bytesRead += bytes, context.signal);
  }

  async run(selection: DataSelection): Promise<void> {
    const { onEvent, signal } = this.context;
    const view = await this.repository.loadIndex(signal);
    const known = view.index.packs().filter(({ name }) => view.listed.has(name));
    const chosen = selectPacks(known, selection);
    const bytesTotal = chosen.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
    for (const pack of chosen) {
      await this.#read(view, pack);
      this.packsRead++;
      const progress = { filesDone: this.packsRead, filesTotal: chosen.length, bytesDone: this.bytesRead, bytesTotal };
      onEvent({ type: "progress", operation: "read packs", ...progress });
    }
  }

  async #read(view: IndexView, pack: PackRecord): Promise<void> {
    const { onEvent, signal } = this.context;
    try {
      const table = await this.repository.packs.table(pack, signal);
      const sizeBytes = view.listed.get(pack.name)!;
      const first = await this.verifier.readAll(pack, table, sizeBytes);
      if (!isDamaged(first)) return;
      const reading = inCommon(first, await this.verifier.readAll(pack, table, sizeBytes));
      if (!isDamaged(reading)) return this.#warnOfFlakiness(pack);
      this.damaged.push({ pack, reading });
      onEvent({ type: "warning", code: "damaged_pack", message: describe(pack, table, reading) });
    } catch (error) {
      if (!isDamage(error)) throw error;
      if (isKind(error, "object_missing")) return; // deleted since the listing
      const hint = "run `axiom repair index` to set it aside";
      onEvent({ type: "warning", code: "damaged_pack", message: `${messageOf(error)}; ${hint}` });
    }
  }

  #warnOfFlakiness({ name }: PackRecord): void {
    const message = `The pack ${name} was damaged when it was read once, and whole when it was read again: ` +
      "test the memory, the disk and the network";
    this.context.onEvent({ type: "warning", code: "flaky_read", message });
  }
}

function isDamaged({ named, badFrames }: PackReading): boolean {
  return !named || badFrames.size > 0;
}

/** What two readings agree on: whatever was right once is there. */
function inCommon(first: PackReading, second: PackReading): PackReading {
  const badFrames: PackReading["badFrames"] = new Map();
  for (const [number, { reason, chunks }] of first.badFrames) {
    const again = second.badFrames.get(number)?.chunks;
    if (again === undefined) continue;
    const both = chunks === "all" ? again : again === "all" ? chunks : chunks.filter((chunk) => again.includes(chunk));
    if (both === "all" || both.length > 0) badFrames.set(number, { reason, chunks: both });
  }
  return { named: first.named || second.named, badFrames };
}

async function reportOf(
  { packs }: Repository,
  { pack, reading }: DamagedReading,
  signal?: AbortSignal,
): Promise<DamagedPackReport> {
  const table = await packs.table(pack, signal);
  const all = table.frames.reduce((sum, { chunks }) => sum + chunks.length, 0);
  let chunksLost = 0;
  for (const [frame, { chunks }] of reading.badFrames) {
    chunksLost += chunks === "all" ? table.frames[frame].chunks.length : chunks.length;
  }
  const reason = describe(pack, table, reading);
  return { name: pack.name, reason, chunksLost, chunksWhole: all - chunksLost, asideKey: null };
}
