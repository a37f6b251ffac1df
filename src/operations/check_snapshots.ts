import { messageOf, throwIfAborted } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { displayName } from "../base/names.ts";
import { CHUNK_KIND_NAMES, type ChunkKind } from "../model/chunk.ts";
import type { Entry } from "../model/entry.ts";
import { sessionKey, snapshotKey } from "../model/object_keys.ts";
import { decodeSnapshot } from "../model/snapshot.ts";
import type { Repository } from "../repository/repository.ts";
import type { SnapshotList } from "../repository/snapshots.ts";
import { AffectedPaths } from "./check_affected.ts";
import type { CheckError, Findings } from "./check_findings.ts";
import type { PacksCheck } from "./check_packs.ts";
import { isDamage, isObjectFault } from "./damage.ts";
import type { ChunkSource } from "./entry_survey.ts";
import { senseFault, TreeSurvey } from "./tree_survey.ts";

/** Judges manifests and markers, those that count and those that do not. */
export async function checkManifests(
  repository: Repository,
  list: SnapshotList,
  findings: Findings,
  signal?: AbortSignal,
): Promise<void> {
  for (const { id, reason } of list.damaged) {
    const message = reason.startsWith("Cannot") ? reason : `Cannot use the snapshot ${id}: ${reason}`;
    findings.affects(findings.error("snapshot_damaged", snapshotKey(id), message), id, "/");
  }
  for (const id of list.orphans) {
    if (await repository.store.stat(snapshotKey(id), signal) !== undefined) continue; // put since the listing
    const message = `Cannot find the manifest of the snapshot ${id}: only its commit marker is left`;
    findings.affects(findings.pending("snapshot_damaged", snapshotKey(id), message), id, "/");
  }
  for (const id of list.unfinished) await judgeUnfinished(repository, id, findings, signal);
}

async function judgeUnfinished(
  { store, sealer }: Repository,
  id: string,
  findings: Findings,
  signal?: AbortSignal,
): Promise<void> {
  const key = snapshotKey(id);
  try {
    const snapshot = decodeSnapshot(await sealer.open("snapshot", key, await store.get(key, "all", signal)), id);
    const isAlive = /^[0-9a-f]{32}$/.test(snapshot.session) &&
      await store.stat(sessionKey(snapshot.session), signal) !== undefined;
    const who = `${displayName(snapshot.user)}@${displayName(snapshot.host)}`;
    if (isAlive) findings.note("snapshot_unfinished", key, `A backup of ${who} is about to finish the snapshot ${id}`);
    else {
      const message = `The snapshot ${id} of ${who} was never finished and does not count; its manifest can go`;
      findings.note("snapshot_abandoned", key, message);
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
    if (error.kind !== "object_missing") findings.error("snapshot_damaged", key, messageOf(error));
  }
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
    const why = senseFault(error);
    if (why === undefined && !isDamage(error) && !await isObjectFault(this.repository, error, this.signal)) throw error;
    const message = why === undefined ? messageOf(error) : `Cannot use the tree ${id.slice(0, 16)}: ${why}`;
    return [this.findings.pending("tree_damaged", id, message)];
  }

  #mismatch(entry: Entry, why: string): CheckError {
    const what = `Cannot restore ${displayName(entry.name)}`;
    return this.findings.error("tree_damaged", entry.name, `${what}: ${why}`);
  }
}
