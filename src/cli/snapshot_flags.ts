import { absolute } from "../operations/source_list.ts";
import { parseTagLists, type SnapshotFilter } from "../operations/snapshot_filter.ts";
import type { Argument, Flag, FlagValues } from "./command.ts";

export const SNAPSHOT_NAMES: Argument = {
  name: "snapshot",
  description: "Id, the beginning of one, or latest; all by default",
  optional: true,
  repeatable: true,
};

/** Which snapshots are meant where no id names one. */
export const SNAPSHOT_FLAGS = [
  { long: "host", type: "text", repeatable: true, placeholder: "host", description: "Only snapshots of this machine" },
  {
    long: "tag",
    type: "text",
    repeatable: true,
    placeholder: "tag[,tag]",
    description: "Only snapshots with all of these tags; given several times, with any of the lists",
  },
  {
    long: "path",
    type: "folder",
    repeatable: true,
    placeholder: "path",
    description: "Only snapshots that were made of this path",
  },
] as const satisfies readonly Flag[];

export interface SnapshotChoice {
  hosts: readonly string[];
  tags: readonly string[];
  paths: readonly string[];
}

export function snapshotChoice(values: FlagValues<typeof SNAPSHOT_FLAGS>): SnapshotChoice {
  return { hosts: values.host, tags: values.tag, paths: values.path };
}

/** @param folder Where relative paths start */
export function snapshotFilter({ hosts, tags, paths }: SnapshotChoice, folder: string): SnapshotFilter {
  return { hosts, tags: parseTagLists(tags), paths: paths.map((path) => absolute(path, folder)) };
}
