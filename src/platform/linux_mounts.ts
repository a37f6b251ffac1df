import { cString } from "./c_string.ts";
import { ERRNO } from "./errno.ts";
import { failure, type Libc } from "./libc.ts";
import { AT_NO_AUTOMOUNT, AT_SYMLINK_NOFOLLOW, SYS_STATX } from "./linux_constants.ts";

const STATX_TYPE = 0x1;
/** From Linux 5.8 on. */
const STATX_MNT_ID = 0x1000;
const MASK = 0, DEVICE = 34, MOUNT = 36;

/**
 * Names the device of `name` in the open `folder`, and its mount where the kernel tells that: words 34 and 36 of
 * {@linkcode StatBuffer}'s drawing, 64 bits each. Undefined where there is nothing.
 */
export function mountAt(libc: Libc, folder: number, name: string, path: string): string | undefined {
  const words = new Uint32Array(64);
  const text = cString(name, "statx"), flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
  const result = libc.attempt(() =>
    libc.symbols.statx(SYS_STATX, folder, text, flags, STATX_TYPE | STATX_MNT_ID, new Uint8Array(words.buffer))
  );
  if (result === -ERRNO.ENOENT) return undefined;
  if (result < 0) throw failure(result, "statx", path);
  const device = `${words[DEVICE]}:${words[DEVICE + 1]}`;
  return (words[MASK] & STATX_MNT_ID) === 0 ? device : `${device} ${words[MOUNT + 1]}:${words[MOUNT]}`;
}
