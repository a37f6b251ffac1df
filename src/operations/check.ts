import { createHash } from "node:crypto";
import type { AxiomError } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { PREFIX } from "../model/object_keys.ts";
import type { Repository } from "../repository/repository.ts";
import type { WorkerPool } from "../stages/worker_pool.ts";
import { DataCheck } from "./check_data.ts";
import { type CheckError, type CheckNote, Findings } from "./check_findings.ts";
import { checkKeys } from "./check_keys.ts";
import { checkObjects } from "./check_objects.ts";
import { PacksCheck } from "./check_packs.ts";
import { checkManifests, ReferencesCheck } from "./check_snapshots.ts";
import type { DataSelection } from "./data_selection.ts";
import { faultCount } from "./snapshot_faults.ts";

export interface CheckOptions {
  /** Packs to read to the last byte; none by default. */
  readData?: DataSelection;
}

export interface CheckContext {
  pool: () => WorkerPool;
  onEvent: EventSink;
  signal?: AbortSignal;
  /** Paths that the store met in listings and that are no objects. */
  foreignPaths?: () => readonly string[];
  /** Why the repository is not what this machine saw there. */
  distrust?: AxiomError;
}

export interface CheckSummary {
  packsChecked: number;
  /** Of those, read to the last byte. */
  packsRead: number;
  snapshotsChecked: number;
  /** Of those, that lack something which could not be saved when they were made: no damage. */
  snapshotsIncomplete: number;
  /** Documents of folders, each once. */
  treesChecked: number;
  /** Places of chunks that index and packs agree on. */
  chunksChecked: number;
  bytesRead: number;
  /** Of all packs. */
  bytesStored: number;
  /** Packs that no snapshot needs, those of backups at work included. */
  packsUnused: number;
  bytesUnused: number;
  /** Draws the same sample again. */
  seed: string | null;
  /** At most `LIMITS.checkErrorsMax`. */
  errors: CheckError[];
  errorCount: number;
  notes: CheckNote[];
  durationSeconds: number;
}

/** Another client that deletes or compacts makes a check see things that are gone; then it is done over. */
const ATTEMPTS = 3;

/**
 * Looks at everything that is stored and changes nothing: structure and references, and with `readData` also the bytes.
 * Damage is part of the result; throws only if the store fails as a whole, on an interruption, or when there is no damage
 * where it could look and a pack needs a decoder that is not there (`plugin_missing`, `plugin_refused`).
 */
export async function check(
  repository: Repository,
  options: CheckOptions,
  context: CheckContext,
): Promise<CheckSummary> {
  const { clock } = repository.context;
  const started = clock.monotonicMs();
  const { onEvent, signal } = context;
  const told = new Set<string>();
  const common = new Findings(onEvent, told);
  const { distrust } = context;
  if (distrust !== undefined) {
    common.error("repository_changed", repository.store.location, `${distrust.message}. ${distrust.hint}`);
  }
  await checkKeys(repository, common, signal);
  await checkObjects(repository, common, context.foreignPaths ?? (() => []), signal);
  const data = new DataCheck(repository, context.pool, onEvent, signal);
  for (let attempt = 1;; attempt++) {
    const before = await fingerprint(repository, signal);
    const run = new CheckRun(repository, options, context, data, new Findings(onEvent, told));
    const part = await run.run();
    if (run.findings.hasLosses && attempt < ATTEMPTS && before !== await fingerprint(repository, signal)) continue;
    run.findings.tellAll();
    const errorCount = common.errorCount + run.findings.errorCount, { unjudged } = data;
    if (unjudged !== undefined) {
      if (errorCount === 0) throw unjudged;
      onEvent({ type: "warning", code: unjudged.kind, message: `${unjudged.message}. ${unjudged.hint}` });
    }
    const { readData } = options;
    return {
      ...part,
      packsRead: data.packsRead,
      bytesRead: part.bytesRead + data.bytesRead,
      seed: readData !== undefined && "seed" in readData ? readData.seed : null,
      errors: [...common.errors, ...run.findings.errors],
      errorCount,
      notes: [...common.notes, ...run.findings.notes],
      durationSeconds: (clock.monotonicMs() - started) / 1000,
    };
  }
}

/** What an attempt relies on staying as it was. */
async function fingerprint({ store }: Repository, signal?: AbortSignal): Promise<string> {
  const keys: string[] = [];
  for (const prefix of [PREFIX.snapshots, PREFIX.index, PREFIX.packs]) {
    for await (const { key } of store.list(prefix, signal)) keys.push(key);
  }
  const hash = createHash("sha256");
  for (const key of keys.sort()) hash.update(`${key}\n`);
  return hash.digest("hex");
}

class CheckRun {
  constructor(
    readonly repository: Repository,
    readonly options: CheckOptions,
    readonly context: CheckContext,
    readonly data: DataCheck,
    readonly findings: Findings,
  ) {}

  /** Snapshots before the index, the index before the listing of packs: what is needed was there before it was named. */
  async run() {
    const { repository, findings } = this;
    const { onEvent, signal } = this.context;
    const list = await repository.snapshots(signal);
    await checkManifests(repository, list, findings, signal);
    const view = await repository.loadIndex(signal);
    const packs = new PacksCheck(repository, view, findings, onEvent, signal);
    await packs.run();
    if (this.options.readData !== undefined) await this.data.run(packs, this.options.readData);
    const references = new ReferencesCheck(repository, packs, findings, onEvent, signal);
    await references.run(list);
    const unused = packs.unused();
    return {
      packsChecked: packs.packsChecked,
      snapshotsChecked: list.snapshots.length,
      snapshotsIncomplete: list.snapshots.filter(({ snapshot }) => faultCount(snapshot) > 0).length,
      treesChecked: references.survey.documents,
      chunksChecked: packs.states.count,
      bytesRead: packs.bytesRead,
      bytesStored: [...view.listed.values()].reduce((sum, size) => sum + size, 0),
      packsUnused: unused.packs,
      bytesUnused: unused.bytes,
    };
  }
}
