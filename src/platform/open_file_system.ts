import { messageOf } from "../base/errors.ts";
import type { FileSystem } from "./file_system.ts";
import { Libc, LIBC_PATHS } from "./libc.ts";
import { LinuxFileSystem } from "./linux_file_system.ts";
import { PortableFileSystem } from "./portable_file_system.ts";

export { LIBC_PATHS } from "./libc.ts";

/** The best file system that this system and the permissions of this program allow. Never asks for a permission. */
export function openFileSystem(): FileSystem {
  const libc = findLibc();
  return libc instanceof Libc ? new LinuxFileSystem(libc) : new PortableFileSystem(libc.reason);
}

let found: Libc | { reason: string } | undefined;

/** The C library of a Linux system, or why it cannot be used; looked for once. */
export function findLibc(): Libc | { reason: string } {
  return found ??= lookForLibc();
}

function lookForLibc(): Libc | { reason: string } {
  const { os, arch, target } = Deno.build;
  if (os !== "linux" || !(arch in LIBC_PATHS)) return { reason: `there is none for ${os} on ${arch} yet` };
  if (typeof Deno.dlopen !== "function") return { reason: "this build of Deno cannot call libraries" };
  // Two C libraries in one process do not agree about threads and errors.
  const isMusl = target.includes("musl");
  const paths = LIBC_PATHS[arch].filter((path) => path.includes("musl") === isMusl);
  const granted = paths.filter((path) => Deno.permissions.querySync({ name: "ffi", path }).state === "granted");
  if (granted.length === 0) return { reason: "--allow-ffi was not granted" };
  let reason = "";
  for (const path of granted) {
    try {
      const libc = new Libc(path);
      checkLibc(libc);
      return libc;
    } catch (error) {
      reason = messageOf(error);
    }
  }
  return { reason: `no C library could be used, the last one tried because of: ${reason}` };
}

/** Throws where a sandbox refuses what everything else is built on. */
function checkLibc(libc: Libc): void {
  const system = new LinuxFileSystem(libc);
  const { type } = system.lstat("/");
  if (type !== "dir" || !("code" in system.statNames("/", [""])[0])) throw new Error("statx gives nonsense");
}
