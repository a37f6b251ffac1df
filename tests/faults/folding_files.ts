import type { TargetTree } from "../../src/platform/file_system.ts";
import { AlteredTargets } from "./faulty_files.ts";

/** Targets that keep the case and the form of names and do not tell them apart, as exFAT, NTFS, APFS and SMB do. */
export const foldingFiles = new AlteredTargets((tree, call, args, go) => {
  const paths = call === "makeSymlink" ? 1 : 2;
  return go(...args.map((arg, i) => i < paths && typeof arg === "string" ? standing(tree, arg) : arg));
});

/** The path under which the same thing was made. */
function standing(tree: TargetTree, path: string): string {
  let at = "";
  for (const name of path.split("/")) {
    const names = tree.lstat(at)?.type === "dir" ? tree.readNames(at) : [];
    const found = names.includes(name) ? name : names.find((each) => folded(each) === folded(name)) ?? name;
    at = at === "" ? found : `${at}/${found}`;
  }
  return at;
}

function folded(name: string): string {
  return name.normalize("NFD").toUpperCase();
}
