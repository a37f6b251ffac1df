import { isKind, messageOf } from "../base/errors.ts";
import { PREFIX } from "../model/object_keys.ts";
import { objectForm } from "../model/object_forms.ts";
import { ChunkIndex } from "../repository/chunk_index.ts";
import { decodeCondemned } from "../repository/condemned.ts";
import { partsOf } from "../repository/index_rewrite.ts";
import { indexObjectOf } from "../repository/index_tables.ts";
import { type DamagedPack, type IndexView, isPackFault } from "../repository/index_view.ts";
import { isPackWhole } from "../repository/pack_hash.ts";
import type { Repository } from "../repository/repository.ts";
import { Semaphore } from "../resilience/semaphore.ts";
import { ChunkStates } from "./chunk_states.ts";
import { isDamage } from "./damage.ts";
import type { RepairContext } from "./repair_index.ts";

/** What is wrong with an index, and what it should be. */
export interface IndexRepairPlan {
  view: IndexView;
  packsRead: number;
  /** Names of packs that the index lacks, wholly or in part. */
  added: string[];
  /** Names of packs about which it says something wrong. */
  wrong: string[];
  /** Names of packs that are gone. */
  gone: string[];
  /** Packs that cannot be read, and whose bytes are not what their names say. */
  torn: DamagedPack[];
  /** Packs that cannot be read here, and whose bytes are right. */
  unreadable: { name: string; reason: string }[];
  /** Sessions, and on demand lists of condemned packs, that cannot be read. */
  damagedObjects: { key: string; reason: string }[];
  /** Packs that the new index describes. */
  allowed: ReadonlySet<string>;
  /** Something that the index says is wrong; else it lacks something at most. */
  mustRewrite: boolean;
}

const READS_AT_ONCE = 8;

/** Reads the table of every pack and compares it with the index, in both directions. Changes nothing. */
export async function planIndexRepair(
  repository: Repository,
  condemnedLists: boolean,
  context: RepairContext,
): Promise<IndexRepairPlan> {
  const { signal } = context;
  const view = await repository.loadIndex(signal);
  const survey = new PackSurvey(repository, view, context);
  await survey.run();
  const { torn, unreadable } = await judgeDamaged(repository, view, survey.damaged, signal);
  const tornNames = new Set(torn.map(({ name }) => name));
  const gone = [...view.missingPacks.map(({ name }) => name), ...survey.gone];
  const allowed = new Set([...view.listed.keys()].filter((name) => !tornNames.has(name) && !survey.gone.has(name)));
  const added = [...new Set([...view.unindexed.map(({ name }) => name), ...survey.lacking])];
  const wrong = survey.wrong();
  return {
    view,
    packsRead: survey.packsRead,
    added,
    wrong,
    gone,
    torn,
    unreadable,
    damagedObjects: await findDamaged(repository, condemnedLists, signal),
    allowed,
    mustRewrite: wrong.length + gone.length > 0 ||
      torn.some(({ name }) => view.index.pack(name) !== undefined),
  };
}

class PackSurvey {
  readonly #states: ChunkStates;
  readonly #readable = new Set<string>();
  readonly lacking: string[] = [];
  readonly gone = new Set<string>();
  readonly damaged = new Map<string, DamagedPack>();
  packsRead = 0;

  constructor(readonly repository: Repository, readonly view: IndexView, readonly context: RepairContext) {
    this.#states = new ChunkStates(view.index);
    for (const pack of view.damagedPacks) this.damaged.set(pack.name, pack);
  }

  async run(): Promise<void> {
    const slots = new Semaphore(READS_AT_ONCE);
    const { signal } = this.context;
    await Promise.all([...this.view.listed].map(([name, size]) => slots.run(() => this.#pack(name, size), signal)));
  }

  async #pack(name: string, sizeBytes: number): Promise<void> {
    const pack = this.view.index.pack(name);
    if (pack === undefined) return; // its own table could not be read: damaged, or gone since the listing
    try {
      const table = await this.repository.packs.readTable(pack, this.context.signal);
      if (this.#states.confirm(pack, table) > 0) this.lacking.push(name);
      this.#readable.add(name);
      this.damaged.delete(name); // longer than it should be, and all there
    } catch (error) {
      if (isKind(error, "object_missing")) this.gone.add(name);
      else if (isPackFault(error)) this.damaged.set(name, { name, sizeBytes, reason: messageOf(error) });
      else throw error;
    }
    this.packsRead++;
    this.context.onEvent({
      type: "progress",
      operation: "repair index",
      filesDone: this.packsRead,
      filesTotal: this.view.listed.size,
      bytesDone: 0,
    });
  }

  /** Names of readable packs with index entries that their tables do not bear out. */
  wrong(): string[] {
    const { wrong } = this.#states.countByPack();
    return this.view.index.packs()
      .filter(({ name }, number) => wrong[number] > 0 && this.#readable.has(name)).map(({ name }) => name);
  }
}

/** What its name proves to be torn is set apart from what only this client cannot read. */
async function judgeDamaged(
  { store }: Repository,
  view: IndexView,
  damaged: ReadonlyMap<string, DamagedPack>,
  signal?: AbortSignal,
): Promise<Pick<IndexRepairPlan, "torn" | "unreadable">> {
  const found: Pick<IndexRepairPlan, "torn" | "unreadable"> = { torn: [], unreadable: [] };
  for (const pack of damaged.values()) {
    if (!view.listed.has(pack.name)) continue;
    const { name, sizeBytes, reason } = pack;
    if (await isPackWhole(store, name, sizeBytes, signal)) found.unreadable.push({ name, reason });
    else found.torn.push(pack);
  }
  return found;
}

async function findDamaged(
  { store, sealer }: Repository,
  condemnedLists: boolean,
  signal?: AbortSignal,
): Promise<IndexRepairPlan["damagedObjects"]> {
  const damaged: IndexRepairPlan["damagedObjects"] = [];
  for (const prefix of condemnedLists ? [PREFIX.sessions, PREFIX.condemned] : [PREFIX.sessions]) {
    for await (const { key } of store.list(prefix, signal)) {
      const type = objectForm(key)?.type;
      if (type !== "session" && type !== "heartbeat" && type !== "condemned") continue;
      try {
        const payload = await sealer.open(type, key, await store.get(key, "all", signal));
        if (type === "condemned") decodeCondemned(payload, key);
      } catch (error) {
        if (!isDamage(error)) throw error;
        if (isKind(error, "data_damaged", "limit_exceeded")) damaged.push({ key, reason: messageOf(error) });
      }
    }
  }
  return damaged;
}

/** The index as the packs say. It has what the old one had, unless that was wrong: then every table is read again. */
export async function rebuiltIndex(
  repository: Repository,
  { view, wrong, added, unreadable }: IndexRepairPlan,
  signal?: AbortSignal,
): Promise<ChunkIndex> {
  if (wrong.length === 0) {
    for (const name of added) await addPack(repository, view, view.index, name, signal);
    return view.index;
  }
  const index = new ChunkIndex();
  const unread = new Set(unreadable.map(({ name }) => name));
  for (const part of partsOf(view.index, unread)) index.add(part);
  for (const name of view.listed.keys()) if (!unread.has(name)) await addPack(repository, view, index, name, signal);
  return index;
}

/** Adds what a pack's table says; a pack that cannot be read (any more) is left out. */
async function addPack(
  { packs }: Repository,
  view: IndexView,
  index: ChunkIndex,
  name: string,
  signal?: AbortSignal,
): Promise<void> {
  const pack = view.index.pack(name);
  if (pack === undefined) return;
  try {
    index.add(indexObjectOf(pack, await packs.table(pack, signal)));
  } catch (error) {
    if (!isKind(error, "object_missing") && !isPackFault(error)) throw error;
  }
}
