import { isKind, messageOf } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { indexKey, packKey } from "../model/object_keys.ts";
import { readIndexObject } from "../repository/index_objects.ts";
import { IndexWriter } from "../repository/index_writer.ts";
import { rewriteIndex } from "../repository/index_rewrite.ts";
import type { Repository } from "../repository/repository.ts";
import { setAside, whereItWent } from "../repository/set_aside.ts";
import { removeSpentLists } from "../repository/spent_lists.ts";
import { type IndexRepairPlan, planIndexRepair, rebuiltIndex } from "./repair_index_plan.ts";

export interface RepairIndexOptions {
  /** Only says what would be done. */
  dryRun: boolean;
  /**
   * Also sets aside lists of condemned packs that cannot be read. Only the user can know that no client deletes right now,
   * for which such a list may be the only sign of what it is about to delete.
   */
  condemnedLists?: boolean;
  /** Most bytes per index object. */
  partitionBytes?: number;
}

export interface RepairContext {
  onEvent: EventSink;
  signal?: AbortSignal;
}

/** What was damaged, why, and where it is now; null where it was left. */
export interface SetAsideObject {
  key: string;
  reason: string;
  asideKey: string | null;
}

export interface RepairIndexSummary {
  dryRun: boolean;
  packsRead: number;
  /** Packs that the index lacked, wholly or in part. */
  packsAdded: number;
  /** Packs about which the index was wrong. */
  packsCorrected: number;
  /** Packs that the index named and that are gone. */
  packsGone: number;
  /** Packs that this client cannot read although their bytes are right; what the index says of them stays. */
  packsUnreadable: { name: string; reason: string }[];
  indexesWritten: number;
  indexesRemoved: number;
  /** Torn packs, index objects and sessions. */
  setAside: SetAsideObject[];
  durationSeconds: number;
}

/**
 * Makes the index again what the packs themselves say. What is wrong is found first; nothing is written if nothing is.
 *
 * Safe beside backups and deleters, because it is no more than what the protocol lets anyone do at any time:
 * - The index is read before the packs are listed, and the new objects replace only objects that were listed then. An
 *   object that a backup adds meanwhile goes on to count; a pack without one is read from its own table by everybody.
 * - New objects describe packs that were listed after those objects, so no pack of theirs is forgotten. A pack that is
 *   deleted meanwhile stays in the index, which is allowed: nobody relies on a pack that is not listed too.
 * - No pack is written and none that can be read is moved, so no session and no list of condemned packs is needed. A pack
 *   is set aside only if its bytes are not what its name says and its table cannot be read: there is nothing in it
 *   that a backup could rely on.
 * - Packs that the index lacks are added first, each whole in one object. Old objects are removed, and damaged ones set
 *   aside, only after the new ones were read back. Before that they count, so an interruption at any point leaves an index
 *   that says the same or more, and the next run goes on.
 *
 * Setting a damaged session aside ends it, which its backup notices and starts over.
 */
export async function repairIndex(
  repository: Repository,
  options: RepairIndexOptions,
  context: RepairContext,
): Promise<RepairIndexSummary> {
  const { clock } = repository.context;
  const started = clock.monotonicMs();
  if (!options.dryRun) repository.require("write");
  const plan = await planIndexRepair(repository, options.condemnedLists ?? false, context);
  const done = options.dryRun
    ? { indexesWritten: 0, indexesRemoved: 0, setAside: plannedAside(plan) }
    : await new IndexRepair(repository, plan, options, context).run();
  return {
    dryRun: options.dryRun,
    packsRead: plan.packsRead,
    packsAdded: plan.added.length,
    packsCorrected: plan.wrong.length,
    packsGone: plan.gone.length,
    packsUnreadable: plan.unreadable,
    ...done,
    durationSeconds: (clock.monotonicMs() - started) / 1000,
  };
}

function plannedAside({ torn, view, damagedObjects }: IndexRepairPlan): SetAsideObject[] {
  const packs = torn.map(({ name, reason }) => ({ key: packKey(name), reason }));
  return [...packs, ...view.objects.damaged, ...damagedObjects].map((object) => ({ ...object, asideKey: null }));
}

class IndexRepair {
  readonly #setAside: SetAsideObject[] = [];

  constructor(
    readonly repository: Repository,
    readonly plan: IndexRepairPlan,
    readonly options: RepairIndexOptions,
    readonly context: RepairContext,
  ) {}

  async run() {
    const { repository, plan } = this;
    const { signal } = this.context;
    const { objects } = plan.view;
    const written = await this.#addPacks();
    let removable = objects.superseded;
    if (plan.mustRewrite) {
      const index = await rebuiltIndex(repository, plan, signal);
      const old = { ...objects, current: [...objects.current, ...written] };
      const rewrite = { bytesMax: this.options.partitionBytes, signal };
      const done = await rewriteIndex(repository, index, old, plan.allowed, rewrite);
      written.push(...done.written);
      const damaged = new Set(objects.damaged.map(({ key }) => key));
      removable = done.replaced.filter((name) => !damaged.has(indexKey(name)));
    }
    for (const name of written) await this.#readBack(name);
    for (const { key, reason } of objects.damaged) await this.#aside(key, reason);
    for (const { name, reason } of plan.torn) await this.#aside(packKey(name), reason);
    for (const { key, reason } of plan.damagedObjects) await this.#aside(key, reason);
    const indexesRemoved = await this.#remove(removable.map(indexKey));
    await removeSpentLists(repository, signal);
    return { indexesWritten: written.length, indexesRemoved, setAside: this.#setAside };
  }

  async #readBack(name: string): Promise<void> {
    const { store, sealer } = this.repository;
    try {
      await readIndexObject({ store, sealer, signal: this.context.signal }, name);
    } catch (error) {
      if (!isKind(error, "object_missing")) throw error; // gone: another client has read and replaced it
    }
  }

  /** Describes each pack that is not described, or not whole, in one object: what there is of it then counts at once. */
  async #addPacks(): Promise<string[]> {
    const { store, sealer, packs } = this.repository;
    const { view, added } = this.plan;
    const { signal } = this.context;
    const indexes = new IndexWriter(store, sealer, view.objects.taken);
    for (const name of added) {
      const pack = view.index.pack(name)!;
      try {
        await indexes.add(pack, await packs.readTable(pack, signal));
      } catch (error) {
        if (!isKind(error, "object_missing")) throw error; // deleted since it was listed
      }
    }
    await indexes.flush();
    return indexes.written;
  }

  async #aside(key: string, reason: string): Promise<void> {
    const asideKey = await setAside(this.repository.store, key, this.context.signal);
    this.#setAside.push({ key, reason, asideKey: asideKey ?? null });
    this.context.onEvent({ type: "warning", code: "set_aside", message: `${reason}; ${key} ${whereItWent(asideKey)}` });
  }

  /** Where the store lets nobody delete, what was replaced stays and does not count. */
  async #remove(keys: readonly string[]): Promise<number> {
    let removed = 0;
    for (const key of keys) {
      try {
        await this.repository.store.remove(key, this.context.signal);
        removed++;
      } catch (error) {
        if (!isKind(error, "storage_denied")) throw error;
        this.context.onEvent({ type: "warning", code: "retained", message: `Kept ${key}: ${messageOf(error)}` });
      }
    }
    return removed;
  }
}
