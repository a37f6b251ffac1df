import { isKind, messageOf, throwIfAborted } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { displayName } from "../base/names.ts";
import { CHUNK_KIND_NAMES, ChunkKind } from "../model/chunk.ts";
import type { Entry } from "../model/entry.ts";
import { snapshotKey } from "../model/object_keys.ts";
import type { Repository } from "../repository/repository.ts";
import type { SnapshotList } from "../repository/snapshots.ts";
import { AffectedPaths } from "./check_affected.ts";
import type { CheckError, DamageKind, Findings } from "./check_findings.ts";
import type { PacksCheck } from "./check_packs.ts";
import { isDamage, isObjectFault } from "./damage.ts";
import type { ChunkSource } from "./entry_survey.ts";
import { judgeStrays, type StraySnapshot } from "./stray_snapshots.ts";
import { TreeSurvey } from "./tree_survey.ts";

/** Judges manifests and markers that do not count. */
export async function checkManifests(
  repository: Repository,
  list: SnapshotList,
  findings: Findings,
  signal?: AbortSignal,
): Promise<void> {
  for (const stray of await judgeStrays(repository, list, signal)) tellStray(stray, findings);
}

function tellStray(stray: StraySnapshot, findings: Findings): void {
  const { id, state } = stray;
  const key = snapshotKey(id);
  const lost = (kind: DamageKind, message: string) => findings.affects(findings.pending(kind, key, message), id, "/");
  if (state === "lost") {
    const message = stray.reason.startsWith("Cannot") ? stray.reason : `Cannot use the snapshot ${id}: ${stray.reason}`;
    return lost("snapshot_damaged", message);
  }
  if (state === "removed") {
    return findings.note("snapshot_removed", key, `The snapshot ${id} was removed; what is left of it does not count`);
  }
  const { user, host } = stray.stored.snapshot;
  const what = `the snapshot ${id} of ${displayName(user)}@${displayName(host)}`;
  if (state === "at_work") {
    const message = `A backup is about to finish ${what}, or was interrupted before it could`;
    return findings.note("snapshot_unfinished", key, message);
  }
  if (state === "redone") {
    const message = `What is left of ${what} does not count; ${stray.by} stands in its place`;
    return findings.note("snapshot_abandoned", key, message);
  }
  if (stray.reason !== undefined) {
    return lost("marker_damaged", `Cannot use ${what}: its commit marker is damaged (${stray.reason})`);
  }
  const was = stray.namedBy === undefined
    ? "it was finished and its commit marker was lost, or it was given up at its very end"
    : `its commit marker was lost; it was finished, for ${stray.namedBy} names it`;
  lost("marker_missing", `Cannot use ${what}: ${was}`);
}

/** Follows every snapshot's tree to the last chunk, and names the paths that each error affects. */
export class ReferencesCheck {
  readonly survey: TreeSurvey<CheckError>;
  #missing: CheckError | undefined;
  #missingChunks = 0;

  constructor(
    readonly repository: Repository,
    readonly packs: PacksCheck,
    readonly findings: Findings,
    readonly onEvent: EventSink,
    readonly signal?: AbortSignal,
  ) {
    const source: ChunkSource<CheckError> = {
      need: (id, kind) => packs.states.need(id, kind),
      culprits: (id, kind) => this.#culprits(id, kind),
      unreadable: (id, error) => this.#unreadable(id, error),
      senseless: (id, message) => [findings.error("tree_damaged", id, message)],
      mismatch: (entry, why) => [this.#mismatch(entry, why)],
    };
    this.survey = new TreeSurvey(repository.trees(packs.view, signal), source, signal);
  }

  async run({ snapshots }: SnapshotList): Promise<void> {
    for (const [filesDone, { id, snapshot }] of snapshots.entries()) {
      throwIfAborted(this.signal);
      const total = { filesDone, filesTotal: snapshots.length, bytesDone: 0 };
      this.onEvent({ type: "progress", operation: "check snapshots", ...total, current: id });
      await this.survey.folder(snapshot.root);
    }
    if (this.#missing !== undefined && this.#missingChunks > 1) {
      this.#missing.message += `, nor what ${this.#missingChunks - 1} further references need`;
    }
    const affected = new AffectedPaths(this.survey.trees, this.survey, this.findings, this.signal);
    for (const stored of snapshots.toReversed()) await affected.addSnapshot(stored);
  }

  #culprits(id: string, kind: ChunkKind): CheckError[] {
    const packs = this.packs.states.packsOf(id, kind);
    if (packs.length > 0) return this.packs.culprits(packs);
    this.#missingChunks++;
    const message = `Cannot find the ${CHUNK_KIND_NAMES[kind]} chunk ${id}: no pack holds it`;
    this.#missing ??= this.findings.pending("chunk_missing", id, message);
    return [this.#missing];
  }

  async #unreadable(id: string, error: unknown): Promise<CheckError[]> {
    if (!isDamage(error) && !await isObjectFault(this.repository, error, this.signal)) throw error;
    // One damaged frame holds many documents: the pack is the one thing to tell of.
    const packs = isKind(error, "data_damaged") ? this.packs.states.packsOf(id, ChunkKind.tree) : [];
    if (packs.length > 0) return packs.map(({ name }) => this.packs.blame(name, messageOf(error)));
    return [this.findings.pending("tree_damaged", id, messageOf(error))];
  }

  #mismatch(entry: Entry, why: string): CheckError {
    const what = `Cannot restore ${displayName(entry.name)}`;
    return this.findings.error("tree_damaged", entry.name, `${what}: ${why}`);
  }
}
