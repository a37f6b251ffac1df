import type { Clock } from "../base/clock.ts";
import type { Config } from "../config/schema.ts";
import type { Producer } from "../platform/producer.ts";
import type { Repository } from "../repository/repository.ts";
import { discardingStore } from "../storage/discarding.ts";
import { backup, type BackupContext, backupSource, type BackupSummary } from "./backup.ts";
import {
  type BackupRequest,
  planBackup,
  type PlannedBackup,
  policyOptions,
  type RequestContext,
} from "./backup_request.ts";
import { EarlyScan } from "./early_scan.ts";
import { refuseOwnRepository } from "./own_repository.ts";
import { makeSavePolicy } from "./save_policy.ts";
import { checkTag } from "./tag.ts";
import { type StreamOptions, streamPath, StreamSource } from "./stream_source.ts";

export interface SnapshotCall {
  /** What the snapshot is said to be of; nanoseconds since 1970, now by default. */
  timeNs?: string;
  /** Read and count everything, store nothing. */
  dryRun: boolean;
}

export type ConfiguredContext = RequestContext & BackupContext;

/** What of a backup can be done before there is a repository. */
export interface BegunBackup {
  planned: PlannedBackup;
  /** Runs until it is stopped. */
  early: EarlyScan;
}

/** Plans a backup and begins to look at its sources. Fails as {@linkcode planBackup} does. */
export async function beginBackup(
  config: Pick<Config, "backup">,
  request: BackupRequest,
  context: RequestContext & { clock: Clock },
): Promise<BegunBackup> {
  const planned = await planBackup(config, request, context);
  const early = new EarlyScan(context.files, context.clock.nowNs());
  if (!config.backup.force && config.backup.mode !== "full") early.run(planned.paths, planned.policy);
  return { planned, early };
}

/** Saves as the configuration says. Throws what `backup` throws, and `usage`, such as for a pattern that matches nothing. */
export async function backupConfigured(
  repository: Repository,
  config: Pick<Config, "backup">,
  call: BackupRequest & SnapshotCall,
  context: ConfiguredContext,
  begun?: BegunBackup,
): Promise<BackupSummary> {
  const { paths, faults, streams, policy, metadataStyle } = begun?.planned ?? await planBackup(config, call, context);
  refuseOwnRepository(repository.store.location, paths, policy, context.files);
  const options = {
    ...snapshotOptions(config, call),
    paths,
    faults,
    streams,
    policy,
    metadataStyle,
    force: config.backup.force,
    early: begun?.early,
  };
  return await backup(target(repository, call), options, context);
}

/** Saves what a producer gives as one file, whose name the configuration says. */
export async function backupStreamConfigured(
  repository: Repository,
  config: Pick<Config, "backup">,
  call: SnapshotCall & { producer: Producer; mayBeEmpty: boolean; owner: StreamOptions["owner"] },
  context: ConfiguredContext,
): Promise<BackupSummary> {
  const path = streamPath(config.backup.stdinFilename);
  const { policy, metadataStyle } = makeSavePolicy(policyOptions(config.backup, []), [], context);
  const { producer, mayBeEmpty, owner } = call;
  const { what, bytes, done } = producer;
  const plan = policy.plan(path, owner);
  const source = new StreamSource({ path, bytes, what, done, mayBeEmpty, plan, owner, signal: context.signal });
  const options = { ...snapshotOptions(config, call), metadataStyle };
  return await backupSource(target(repository, call), source, options, context);
}

function target(repository: Repository, { dryRun }: SnapshotCall): Repository {
  return dryRun ? repository.on(discardingStore(repository.store)) : repository;
}

/** Throws `usage` for a tag that cannot be one. */
function snapshotOptions({ backup: { mode, tags: given, parent } }: Pick<Config, "backup">, call: SnapshotCall) {
  const tags = given.flatMap((text) => text.split(",")).map((tag) => tag.trim()).filter((tag) => tag !== "");
  for (const tag of tags) checkTag(tag);
  return { mode, tags, parent, timeNs: call.timeNs, dryRun: call.dryRun };
}
