import type { Config } from "../config/schema.ts";
import type { Repository } from "../repository/repository.ts";
import { discardingStore } from "../storage/discarding.ts";
import { backup, type BackupContext, type BackupSummary } from "./backup.ts";
import { type BackupRequest, planBackup, type RequestContext } from "./backup_request.ts";
import { refuseOwnRepository } from "./own_repository.ts";

export interface BackupCall extends BackupRequest {
  /** What the snapshot is said to be of; nanoseconds since 1970, now by default. */
  timeNs?: string;
  /** Read and count everything, store nothing. */
  dryRun: boolean;
}

/** Saves as the configuration says. Throws what `backup` throws, and `usage`, such as for a pattern that matches nothing. */
export async function backupConfigured(
  repository: Repository,
  config: Pick<Config, "backup">,
  call: BackupCall,
  context: RequestContext & BackupContext,
): Promise<BackupSummary> {
  const { paths, faults, policy, metadataStyle } = await planBackup(config, call, context);
  refuseOwnRepository(repository.store.location, paths, policy, context.files);
  const { mode, tags, parent, force } = config.backup;
  const into = call.dryRun ? repository.on(discardingStore(repository.store)) : repository;
  const options = { paths, faults, policy, metadataStyle, mode, tags: [...tags], parent, force };
  return await backup(into, { ...options, timeNs: call.timeNs, dryRun: call.dryRun }, context);
}
