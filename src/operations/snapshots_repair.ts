import { ChunkKind } from "../model/chunk.ts";
import type { IndexView } from "../repository/index_view.ts";
import type { Repository } from "../repository/repository.ts";
import type { SnapshotList, StoredSnapshot } from "../repository/snapshots.ts";
import type { RepositoryWriter } from "../repository/writer.ts";
import { type CheckError, Findings } from "./check_findings.ts";
import { PacksCheck } from "./check_packs.ts";
import { ReferencesCheck } from "./check_snapshots.ts";
import type { RepairSnapshotsContext, RepairSnapshotsOptions, SnapshotRepair } from "./repair_snapshots.ts";
import { commitRepaired, type Committed, forgetReplaced, recordRemoval, REPAIRED_TAG } from "./repaired_snapshot.ts";
import { demandSafeFromDeletion } from "./safe_from_deletion.ts";
import { demandNewestKeys, setSnapshotAside } from "./set_strays_aside.ts";
import { judgeStrays, type StraySnapshot } from "./stray_snapshots.ts";
import { SurvivingEntries } from "./surviving_entries.ts";
import { listDropped, TreeRepair } from "./tree_repair.ts";
import type { TreeSurvey } from "./tree_survey.ts";

/** The snapshots that a repair is to look at. */
export interface ChosenSnapshots {
  snapshots: StoredSnapshot[];
  isChosenStray: (id: string) => boolean;
  isAll: boolean;
}

/** One run of a repair: finds what the snapshots lost, makes new ones, and clears up what does not count. */
export class SnapshotsRepair {
  readonly #made: Committed[] = [];

  constructor(
    readonly repository: Repository,
    readonly view: IndexView,
    readonly list: SnapshotList,
    readonly options: RepairSnapshotsOptions,
    readonly context: RepairSnapshotsContext,
    readonly writer?: RepositoryWriter,
  ) {}

  async run({ snapshots: counted, isChosenStray, isAll }: ChosenSnapshots) {
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
    if (made === undefined) {
      const counts = repair.droppedCount === 0 ? {} : await this.#counts(stored, repair, survey);
      this.#made.push(made = await commitRepaired(writer!, root, stored, repair.dropped, counts));
    }
    repair.newSnapshotId = made.id;
    if (repair.uncounted) await this.#setAside(repair);
    else if (options.forget) {
      repair.forgotten = await forgetReplaced(repository, stored, repair.newSnapshotId, context);
    }
  }

  async #counts({ snapshot }: StoredSnapshot, { droppedCount }: SnapshotRepair, survey: TreeSurvey<CheckError>) {
    const left = new SurvivingEntries(survey, this.options.keepFiles, this.context.signal);
    return { ...await left.of(snapshot), files_failed: snapshot.statistics.files_failed + droppedCount };
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
