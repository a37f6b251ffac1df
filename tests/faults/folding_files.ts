import type { TargetTree } from "../../src/platform/file_system.ts";
import { AlteredTargets } from "./faulty_files.ts";

/** Targets that keep names as they are and do not tell those apart of which `folded` makes the same. */
function foldingTargets(folded: (name: string) => string): AlteredTargets {
  return new AlteredTargets((tree, call, args, go) => {
    const paths = call === "makeSymlink" ? 1 : 2;
    return go(...args.map((arg, i) => i < paths && typeof arg === "string" ? standing(tree, arg, folded) : arg));
  });
}

/** The path under which the same thing was made. */
function standing(tree: TargetTree, path: string, folded: (name: string) => string): string {
  let at = "";
  for (const name of path.split("/")) {
    const names = tree.lstat(at)?.type === "dir" ? tree.readNames(at) : [];
    const found = names.includes(name) ? name : names.find((each) => folded(each) === folded(name)) ?? name;
    at = at === "" ? found : `${at}/${found}`;
  }
  return at;
}

/** By case and form, as exFAT, NTFS, APFS and SMB do. */
export const foldingFiles = foldingTargets((name) => name.normalize("NFD").toUpperCase());

/** By the case of ASCII letters alone, as Linux does on FAT with its option utf8. */
export const asciiFoldingFiles = foldingTargets((name) => name.replace(/[a-z]/g, (letter) => letter.toUpperCase()));
