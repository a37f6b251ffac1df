import { equalBytes } from "../base/bytes.ts";
import type { FileStat, Metadata, MetadataLoss, TargetTree } from "../platform/file_system.ts";
import { isOfFile } from "../platform/xattr_names.ts";

export interface MetadataDifference {
  what: MetadataLoss["what"];
  /** Such as "its mode is 644, not 600". */
  text: string;
}

/** Where what stands at `path` is not what `wanted` says; `nanoseconds` false compares times to the millisecond. */
export function metadataDifferences(
  target: TargetTree,
  path: string,
  stat: FileStat,
  wanted: Metadata,
  nanoseconds = true,
): MetadataDifference[] {
  const found: MetadataDifference[] = [];
  const compare = (what: MetadataDifference["what"], name: string, is: string, should: string) => {
    if (is !== should) found.push({ what, text: `its ${name} is ${is}, not ${should}` });
  };
  compare("owner", "owner", String(stat.uid), String(wanted.uid ?? stat.uid));
  compare("owner", "group", String(stat.gid), String(wanted.gid ?? stat.gid));
  if (stat.type !== "symlink") compare("mode", "mode", stat.mode.toString(8), wanted.mode.toString(8));
  const time = (ns: string) => nanoseconds ? ns : ns.slice(0, -6);
  compare("times", "time of change", time(stat.mtimeNs), time(wanted.mtimeNs));
  for (const text of xattrDifferences(target, path, wanted.xattrs ?? [])) found.push({ what: "xattr", text });
  return found;
}

function* xattrDifferences(target: TargetTree, path: string, wanted: NonNullable<Metadata["xattrs"]>) {
  const present = new Map(target.xattrs(path).map(({ name, value }) => [name, value]));
  for (const { name, value } of wanted) {
    const is = present.get(name);
    if (is === undefined) yield `it lacks the attribute ${name}`;
    else if (!equalBytes(is, value)) yield `its attribute ${name} has another value`;
    present.delete(name);
  }
  for (const name of present.keys()) if (isOfFile(name)) yield `it has the attribute ${name}, which it should not`;
}
