import { AxiomError } from "../base/errors.ts";
import { displayName, typedName } from "../base/names.ts";
import type { Entry } from "../model/entry.ts";
import type { StoredSnapshot } from "../repository/snapshots.ts";
import type { TreeReader } from "../repository/tree_reader.ts";

/** A place in a snapshot: a folder by its node, or another entry. */
export type SnapshotPlace = { folder: string; entry?: Entry } | { entry: Entry };

/** Finds `path` from the snapshot's root. Throws `path_missing` that says how far it led. */
export async function resolvePath(trees: TreeReader, stored: StoredSnapshot, path = "/"): Promise<SnapshotPlace> {
  let place: SnapshotPlace = { folder: stored.snapshot.root };
  let seen = "";
  for (const name of path.split("/").filter((part) => part !== "" && part !== ".")) {
    const entry: Entry | undefined = "folder" in place ? await trees.find(place.folder, name) : undefined;
    if (entry === undefined) {
      throw new AxiomError(
        "path_missing",
        `Cannot find ${displayName(path)} in the snapshot ${stored.id.slice(0, 8)}: ${
          displayName(seen || "/")
        } has no "${displayName(name)}"`,
        { hint: `Run \`axiom ls ${stored.id.slice(0, 8)}\` to see what it has` },
      );
    }
    seen += `/${name}`;
    place = entry.type === "dir" ? { folder: entry.subtree!, entry } : { entry };
  }
  return place;
}

/** Splits `<snapshot>[:<path>]`; the path is written as `ls` shows it, because no one can type bytes that are not UTF-8. */
export function parseSnapshotPath(text: string): { snapshot: string; path?: string } {
  const colon = text.indexOf(":");
  return colon < 0
    ? { snapshot: text }
    : { snapshot: text.slice(0, colon), path: typedName(text.slice(colon + 1)) || "/" };
}
