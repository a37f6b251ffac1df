import type { EventSink } from "../base/events.ts";
import { ChunkKind } from "../model/chunk.ts";
import type { IndexView } from "../repository/index_view.ts";
import type { Repository } from "../repository/repository.ts";
import type { SnapshotList, StoredSnapshot } from "../repository/snapshots.ts";
import { withWriter } from "../repository/with_writer.ts";
import type { RepositoryWriter, WriterIdentity } from "../repository/writer.ts";
import type { WorkerPool } from "../stages/worker_pool.ts";
import type { FrameStyle } from "../stages/worker_protocol.ts";
import { type CheckError, Findings } from "./check_findings.ts";
import { PacksCheck } from "./check_packs.ts";
import { ReferencesCheck } from "./check_snapshots.ts";
import { commitRepaired, type Committed, forgetReplaced, recordRemoval, REPAIRED_TAG } from "./repaired_snapshot.ts";
import { demandSafeFromDeletion } from "./safe_from_deletion.ts";
import { demandNewestKeys, setSnapshotAside } from "./set_strays_aside.ts";
import { findSnapshots, type Moment, momentOf } from "./snapshot_filter.ts";
import { judgeStrays, type StraySnapshot } from "./stray_snapshots.ts";
import { type DroppedPart, listDropped, TreeRepair } from "./tree_repair.ts";
import type { TreeSurvey } from "./tree_survey.ts";

export interface RepairSnapshotsOptions {
  /** Ids, prefixes or `latest`; all by default. */
  names?: readonly string[];
  /** Files whose content lost chunks stay as they are: a later backup may bring the chunks back. */
  keepFiles: boolean;
  /**
   * Takes the old snapshots away once the new ones count, and sets those aside of which nothing can be saved; the ledger
   * says so.
   */
  forget: boolean;
  /** Only says what would be done. */
  dryRun: boolean;
  /** For trees. */
  metadataStyle: FrameStyle;
}

export interface RepairSnapshotsContext {
  pool: () => WorkerPool;
  identity: WriterIdentity;
  onEvent: EventSink;
  signal?: AbortSignal;
}

export interface SnapshotRepair {
  snapshotId: string;
  /** Null when dry, and where nothing of the snapshot can be saved. */
  newSnapshotId: string | null;
  /** Whether it did not count, because its commit marker is gone or damaged. */
  uncounted: boolean;
  /** Whether the old snapshot is gone. */
  forgotten: boolean;
  /** Where what is left of it is now. */
  asideKeys: string[];
  /** Why nothing can be saved. */
  reason: string | null;
  /** At most `LIMITS.affectedPathsMax`. */
  dropped: DroppedPart[];
  droppedCount: number;
}

export interface RepairSnapshotsSummary {
  dryRun: boolean;
  snapshotsChecked: number;
  /** Those that lost something. */
  repairs: SnapshotRepair[];
  /**
   * Documents of folders that no snapshot reaches, such as those of a snapshot whose manifest is damaged; null where not all
   * snapshots were looked at.
   */
  documentsUnreached: number | null;
  durationSeconds: number;
}

/**
 * Makes a new snapshot of each that lost something, without what is lost, and says what that is. The old one stays: what it
 * lost may come back with a backup or a copy of a pack; `forget` takes it away nevertheless. Run `repairIndex` and
 * `repairPacks` first: what the index cannot tell to be damaged is not looked for here.
 *
 * A snapshot whose commit marker is gone or damaged is committed anew, by all the steps of a writer: a deleter may have
 * taken it for given up, so its old marker may not be put back. Its manifest is then set aside.
 *
 * Throws `storage_busy` while a deletion may take away what a new snapshot would need.
 */
export async function repairSnapshots(
  repository: Repository,
  options: RepairSnapshotsOptions,
  context: RepairSnapshotsContext,
): Promise<RepairSnapshotsSummary> {
  const { clock } = repository.context;
  const started = clock.monotonicMs();
  const { signal } = context;
  if (options.forget && !options.dryRun) repository.require("delete");
  const list = await repository.snapshots(signal);
  const chosen = choose(list, options.names ?? [], momentOf(repository, context.onEvent));
  const run = async (view: IndexView, writer?: RepositoryWriter) =>
    await new SnapshotsRepair(repository, view, list, options, context, writer).run(chosen);
  const needs = () => ({
    pool: context.pool(),
    identity: context.identity,
    style: options.metadataStyle,
    signal,
  });
  const done = options.dryRun
    ? await run(await repository.loadIndex(signal))
    : await withWriter(repository, needs(), (writer) => run(writer.view, writer));
  return { dryRun: options.dryRun, ...done, durationSeconds: (clock.monotonicMs() - started) / 1000 };
}

interface Chosen {
  snapshots: StoredSnapshot[];
  isChosenStray: (id: string) => boolean;
  isAll: boolean;
}

/** What `names` mean among all snapshots, those that do not count included. */
function choose(list: SnapshotList, names: readonly string[], moment: Moment): Chosen {
  const strays = [...list.damaged.map(({ id }) => id), ...list.orphans, ...list.unfinished];
  const meansStray = (name: string) => name.length >= 8 && strays.some((id) => id.startsWith(name));
  const counted = names.filter((name) => !meansStray(name));
  return {
    snapshots: names.length > 0 && counted.length === 0 ? [] : findSnapshots(list, counted, {}, moment),
    isChosenStray: (id) => names.length === 0 || names.some((name) => meansStray(name) && id.startsWith(name)),
    isAll: names.length === 0,
  };
}

class SnapshotsRepair {
  readonly #made: Committed[] = [];

  constructor(
    readonly repository: Repository,
    readonly view: IndexView,
    readonly list: SnapshotList,
    readonly options: RepairSnapshotsOptions,
    readonly context: RepairSnapshotsContext,
    readonly writer?: RepositoryWriter,
  ) {}

  async run({ snapshots: counted, isChosenStray, isAll }: Chosen) {
    const { repository, view, options, writer } = this;
    const { onEvent, signal } = this.context;
    const strays = (await judgeStrays(repository, this.list, signal)).filter(({ id }) => isChosenStray(id));
    const unmarked = strays.flatMap((stray) => stray.state === "unmarked" ? [stray.stored] : []);
    // First: one may be what an interrupted repair of another made of it.
    const snapshots = [...unmarked, ...counted];
    const findings = new Findings(() => {});
    const packs = new PacksCheck(repository, view, findings, onEvent, signal);
    await packs.run();
    const { survey } = new ReferencesCheck(repository, packs, findings, onEvent, signal);
    const put = writer?.metadata.put;
    const trees = put && new TreeRepair(survey, put, repository.keys.treeSplitKey(), options.keepFiles);
    const wanted: StoredSnapshot[] = [];
    for (const [filesDone, stored] of snapshots.entries()) {
      const progress = { filesDone, filesTotal: snapshots.length, bytesDone: 0, current: stored.id };
      onEvent({ type: "progress", operation: "repair snapshots", ...progress });
      const isWhole = await survey.folder(stored.snapshot.root) === undefined;
      if (!isWhole || unmarked.includes(stored)) wanted.push(stored);
    }
    const documentsUnreached = isAll ? packs.states.unneeded(ChunkKind.tree) : null;
    if (writer !== undefined) await demandSafeFromDeletion(repository, wanted, writer.condemned, signal);
    const repairs: SnapshotRepair[] = [];
    for (const stored of wanted) {
      const repair = await this.#plan(stored, survey, unmarked.includes(stored));
      if (repair.droppedCount === 0 && !repair.uncounted) continue; // files that are kept
      repairs.push(repair);
      if (trees !== undefined) await this.#save(stored, repair, survey, trees);
    }
    for (const stray of strays) repairs.push(...await this.#clear(stray));
    return { snapshotsChecked: snapshots.length, repairs, documentsUnreached };
  }

  async #save(
    stored: StoredSnapshot,
    repair: SnapshotRepair,
    survey: TreeSurvey<CheckError>,
    trees: TreeRepair<CheckError>,
  ): Promise<void> {
    const { repository, context, options, writer } = this;
    if (repair.reason !== null) {
      if (options.forget) await this.#setAside(repair);
      return;
    }
    const root = (await trees.folder(stored.snapshot.root))!;
    let made = await this.#repaired(stored, root, survey);
    if (made === undefined) this.#made.push(made = await commitRepaired(writer!, root, stored, repair.dropped));
    repair.newSnapshotId = made.id;
    if (repair.uncounted) await this.#setAside(repair);
    else if (options.forget) {
      repair.forgotten = await forgetReplaced(repository, stored, repair.newSnapshotId, context);
    }
  }

  /** Of snapshots that do not count, what nothing can be made of. */
  async #clear(stray: StraySnapshot): Promise<SnapshotRepair[]> {
    const { options: { dryRun, forget }, writer } = this;
    const { id, state } = stray;
    if (state === "lost") {
      const repair = { ...unsaved(id), uncounted: true, reason: stray.reason };
      if (!dryRun && forget) await this.#setAside(repair);
      return [repair];
    }
    if (writer === undefined) return [];
    if (state === "redone") await this.#setAside({ ...unsaved(id), newSnapshotId: stray.by });
    if (state === "removed" && forget) await setSnapshotAside(this.repository, id, this.context.signal);
    return [];
  }

  /** The record in the ledger comes first, so that whoever misses the snapshot finds it. */
  async #setAside(repair: SnapshotRepair): Promise<void> {
    const { repository, context } = this;
    if (repair.newSnapshotId === null) await demandNewestKeys(repository, context.signal);
    await recordRemoval(repository, repair.snapshotId, repair.newSnapshotId, context);
    repair.asideKeys = await setSnapshotAside(repository, repair.snapshotId, context.signal);
    repair.forgotten = repair.asideKeys.length > 0;
  }

  /** A whole snapshot of it that this run, or one before it, has made. */
  async #repaired(
    stored: StoredSnapshot,
    root: string,
    survey: TreeSurvey<CheckError>,
  ): Promise<Committed | undefined> {
    const original = stored.snapshot.original ?? stored.id;
    const isOfIt = ({ snapshot }: Committed) => snapshot.original === original;
    const known = this.#made.find(isOfIt);
    if (known !== undefined) return known;
    for (const found of this.list.snapshots) {
      if (!isOfIt(found) || !found.snapshot.tags.includes(REPAIRED_TAG)) continue;
      if (found.snapshot.root === root || await survey.folder(found.snapshot.root) === undefined) return found;
    }
    return undefined;
  }

  async #plan(
    { id, snapshot }: StoredSnapshot,
    survey: TreeSurvey<CheckError>,
    uncounted: boolean,
  ): Promise<SnapshotRepair> {
    const { parts, count } = await listDropped(survey, snapshot.root, this.options.keepFiles, this.context.signal);
    const root = survey.lostDocument(snapshot.root);
    return {
      ...unsaved(id),
      uncounted,
      reason: root === undefined ? null : root[0].message,
      dropped: parts,
      droppedCount: count,
    };
  }
}

function unsaved(snapshotId: string): SnapshotRepair {
  return {
    snapshotId,
    newSnapshotId: null,
    uncounted: false,
    forgotten: false,
    asideKeys: [],
    reason: null,
    dropped: [],
    droppedCount: 0,
  };
}
