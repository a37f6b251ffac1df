import { cString } from "./c_string.ts";
import { ERRNO } from "./errno.ts";
import { failure, type Libc } from "./libc.ts";
import { RENAME_NOREPLACE, SYS_RENAMEAT2 } from "./linux_constants.ts";

/** A name in the folder that a descriptor stands for. */
interface NameAt {
  folder: number;
  name: string;
}

/** Renames to what must not exist (`EEXIST`); false where the kernel or the file system cannot promise that. */
export function renamedNewAt(libc: Libc, from: NameAt, to: NameAt, path: string): boolean {
  const oldText = cString(from.name, "rename"), newText = cString(to.name, "rename", 1);
  const result = libc.attempt(() =>
    libc.symbols.renameat2(SYS_RENAMEAT2, from.folder, oldText, to.folder, newText, RENAME_NOREPLACE)
  );
  if (result === -ERRNO.ENOSYS || result === -ERRNO.EINVAL) return false;
  if (result < 0) throw failure(result, "rename", path);
  return true;
}
