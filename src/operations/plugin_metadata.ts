import type { Json } from "../base/canonical_json.ts";
import type { RepositoryMetadata } from "../plugins/services/repo_service.ts";
import type { Repository } from "../repository/repository.ts";
import { listEntries } from "./list_entries.ts";
import { listSnapshots } from "./list_snapshots.ts";
import { findSnapshots, momentOf } from "./snapshot_filter.ts";
import { readSnapshotList } from "./unmarked_snapshots.ts";
import { ignoreEvents } from "../base/events.ts";

/** A repository as plugins with the capability `repo` see it. */
export function pluginMetadata(repository: Repository): RepositoryMetadata {
  const onEvent = ignoreEvents;
  return {
    async snapshots(signal) {
      const all = await listSnapshots(repository, {}, { onEvent, signal });
      return all.reverse().map(({ id, timeNs, host, paths, tags, mode, parentId, files, bytes }): Json => ({
        ...{ id, time_ns: timeNs, host, paths, tags, mode, parent: parentId, files, bytes },
      }));
    },
    async *entries(snapshotId, path, signal) {
      const list = await readSnapshotList(repository, { names: [snapshotId] }, { onEvent, signal });
      const [snapshot] = findSnapshots(list, [snapshotId], {}, { ...momentOf(repository, onEvent), onEvent });
      const options = { snapshot, path, recursive: false };
      for await (const entry of listEntries(repository, options, { onEvent, signal })) {
        const { path, type, sizeBytes, mode, mtimeNs } = entry;
        const length = sizeBytes === undefined ? {} : { length: sizeBytes };
        yield { name: path.slice(path.lastIndexOf("/") + 1), type, ...length, modified_ns: mtimeNs, mode };
      }
    },
  };
}
