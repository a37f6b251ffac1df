import type { StoredSnapshot } from "../repository/snapshots.ts";
import type { RepositoryWriter } from "../repository/writer.ts";
import type { BackupTally } from "./backup_tally.ts";
import type { UsedFilter } from "./filter_gate.ts";
import type { UsedSource } from "./stream_folder.ts";

/** What a snapshot is made of. */
export interface BackupSource {
  /** False for a stream, which comes only once. */
  readonly isRepeatable: boolean;
  /** Begins a run, and returns since when what is read of the source is no older; `nowNs` unless it was read already. */
  begin(nowNs: string): string;
  /**
   * Absolute paths that the snapshot names, sorted. Reports what is missing; throws `source_missing` if everything is, or
   * why the only plugin failed.
   */
  paths(tally: BackupTally): string[] | Promise<string[]>;
  /** Source plugins that gave something, once it is saved. */
  readonly used?: readonly UsedSource[];
  /** Filters that were asked, once it is saved. */
  readonly filters?: readonly UsedFilter[];
  /** Saves it all and returns the id of the root folder. */
  save(writer: RepositoryWriter, tally: BackupTally, parent: StoredSnapshot | undefined): Promise<string>;
  /** Lets go of what a run holds, however it went. */
  end?(): void;
}
