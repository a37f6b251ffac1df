import { type Bytes, concat, fromBase64 } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Entry } from "../model/entry.ts";
import type { Metadata, Xattr } from "../platform/file_system.ts";
import type { TreeReader } from "../repository/tree_reader.ts";

/** What of most entries is the same object. */
const NO_XATTRS: readonly Xattr[] = [];

/**
 * What an entry says beside its content; without the owner unless `owners`. Throws `limit_exceeded` where the extended
 * attributes are more than the format allows, before they are in memory.
 */
export async function metadataOf(entry: Entry, trees: TreeReader, owners: boolean): Promise<Metadata> {
  const xattrs = entry.xattrs === undefined ? NO_XATTRS : await xattrsOf(entry, trees);
  const { mode, uid, gid, mtime } = entry;
  return owners ? { mode, uid, gid, mtimeNs: mtime, xattrs } : { mode, mtimeNs: mtime, xattrs };
}

async function xattrsOf(entry: Entry, trees: TreeReader): Promise<Xattr[]> {
  const xattrs: Xattr[] = [];
  let left: number = LIMITS.xattrBytesMax;
  const counted = (part: Bytes) => {
    left -= part.length;
    if (left < 0) throw tooMany(entry);
    return part;
  };
  for (const { name, value, chunks = [] } of entry.xattrs!) {
    if (value !== undefined) {
      xattrs.push({ name, value: counted(fromBase64(value)) });
      continue;
    }
    const parts: Bytes[] = [];
    for (const id of chunks) parts.push(counted(await trees.get(id)));
    xattrs.push({ name, value: concat(parts) });
  }
  return xattrs;
}

function tooMany(entry: Entry): AxiomError {
  const most = LIMITS.xattrBytesMax;
  return new AxiomError(
    "limit_exceeded",
    `Cannot restore ${entry.name}: its extended attributes have more than ${most} bytes`,
    { hint: "Run `axiom check --read-data` to see whether the repository is damaged" },
  );
}
