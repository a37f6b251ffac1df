import type { EventSink } from "../base/events.ts";
import type { Config } from "../config/schema.ts";
import type { Repository } from "../repository/repository.ts";
import { flagPatterns } from "../stages/pattern_list.ts";
import { reportDamaged } from "./list_snapshots.ts";
import { absolutePath } from "./listed_entry.ts";
import { refuseTarget } from "./own_repository.ts";
import { restore, type RestoreContext, type RestoreSummary } from "./restore.ts";
import type { Owners } from "./restore_metadata.ts";
import { restoreSelection } from "./restore_selection.ts";
import { findSnapshot, momentOf, type SnapshotFilter } from "./snapshot_filter.ts";
import { warnOfFaults } from "./snapshot_faults.ts";
import { absolute } from "./source_list.ts";
import { readSnapshotList } from "./unmarked_snapshots.ts";

export type { RestoreSummary };

/** What is asked for in addition to the configuration. */
export interface RestoreRequest {
  /** Id, prefix or `latest`, which is then the newest that matches `filter`. */
  snapshot: string;
  /** In the snapshot; all by default. */
  path?: string;
  target: string;
  filter: SnapshotFilter;
  dryRun: boolean;
  /** Absolute; where a relative target starts. */
  folder: string;
}

export interface RestoreBy extends Omit<RestoreContext, "owners"> {
  /** Ids of whoever restores; undefined where there are none. */
  user: { uid: number; gid: number } | undefined;
}

/** Restores as the configuration says. Throws what `restore` throws, `snapshot_missing`, and `usage` for patterns. */
export async function restoreConfigured(
  repository: Repository,
  { restore: configured }: Pick<Config, "restore">,
  request: RestoreRequest,
  { user, ...context }: RestoreBy,
): Promise<RestoreSummary> {
  const selection = restoreSelection(
    flagPatterns(configured.include, "--include"),
    flagPatterns(configured.exclude, "--exclude"),
    absolutePath(request.path),
  );
  let isAnySelected = false;
  const select = selection && ((path: string, isFolder: boolean) => {
    const isSelected = selection(path, isFolder);
    isAnySelected ||= isSelected;
    return isSelected;
  });
  const target = absolute(request.target, request.folder);
  refuseTarget(repository.store.location, target, configured.delete, context.files);
  const question = { names: [request.snapshot], filter: request.filter };
  const list = await readSnapshotList(repository, question, context);
  const snapshot = findSnapshot(list, request.snapshot, request.filter, momentOf(repository, context.onEvent));
  if (request.snapshot === "latest") reportDamaged(list, context.onEvent);
  warnOfFaults(snapshot, request.path, context.onEvent);
  const owners = ownersFor(user, context.onEvent);
  const summary = await restore(repository, {
    snapshot,
    path: request.path,
    target,
    select,
    overwrite: configured.overwrite,
    delete: configured.delete,
    verify: configured.verify,
    dryRun: request.dryRun,
  }, { ...context, owners });
  if (configured.include.length > 0 && !isAnySelected) {
    const message = `Nothing of the snapshot is selected by --include ${configured.include.join(", ")}`;
    context.onEvent({ type: "warning", code: "nothing_selected", message });
  }
  return summary;
}

/** Root gives files their owners; of anybody else that is told once. */
function ownersFor(user: RestoreBy["user"], onEvent: EventSink): Owners {
  if (user === undefined) return false;
  if (user.uid === 0) return true;
  let isTold = false;
  const message = "Files of others become yours, without set-uid and set-gid: only root can restore owners";
  return {
    ...user,
    onOther() {
      if (!isTold) onEvent({ type: "notice", code: "owners", message });
      isTold = true;
    },
  };
}
