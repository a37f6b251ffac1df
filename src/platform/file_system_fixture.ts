import { strictEqual as equal } from "node:assert/strict";
import type { FileSystem } from "./file_system.ts";
import { SystemError } from "./file_system.ts";
import { Libc } from "./libc.ts";
import { LinuxCalls } from "./linux_calls.ts";
import { AT_FDCWD } from "./linux_constants.ts";
import { LinuxFileSystem } from "./linux_file_system.ts";
import { LinuxTargetTree } from "./linux_target_tree.ts";
import { findLibc } from "./open_file_system.ts";
import { PortableFileSystem } from "./portable_file_system.ts";

/** Linux as it was before 5.6, where targets are walked folder by folder. */
class OldLinuxFileSystem extends LinuxFileSystem {
  override openTarget(path: string): LinuxTargetTree {
    const calls = new LinuxCalls(this.libc);
    return new LinuxTargetTree(calls, calls.openAt(AT_FDCWD, `${path}/`, 0, path), path, { openat2: false });
  }
}

const libc = findLibc();

/** Everything that the contract is run against. */
export const implementations: readonly { name: string; system: FileSystem }[] = [
  ...(libc instanceof Libc
    ? [
      { name: "linux/libc", system: new LinuxFileSystem(libc) },
      { name: "linux/libc without openat2", system: new OldLinuxFileSystem(libc) },
    ]
    : []),
  { name: "portable", system: new PortableFileSystem() },
];

export const isLinux = Deno.build.os === "linux";
export const isRoot = Deno.build.os !== "windows" && Deno.uid() === 0;

/** Runs a shell script in `folder`; returns what it printed. */
export function shell(folder: string, script: string): string {
  const { code, stdout, stderr } = new Deno.Command("bash", { args: ["-ec", script], cwd: folder }).outputSync();
  if (code !== 0) throw new Error(`${script}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout).trimEnd();
}

export function hasProgram(name: string): boolean {
  return isLinux && new Deno.Command("bash", { args: ["-c", `command -v ${name}`] }).outputSync().code === 0;
}

/** Calls `test` with a new folder, then checks that nothing in it was left open. @param place Where it is made */
export function withFolder(test: (folder: string) => void, place?: string): void {
  const folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "axiom-platform-", dir: place }));
  try {
    test(folder);
    if (isLinux) equal(openPathsBelow(folder).join("\n"), "", "left open");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function openPathsBelow(folder: string): string[] {
  const paths: string[] = [];
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      const path = Deno.readLinkSync(`/proc/self/fd/${name}`);
      if (path.startsWith(folder)) paths.push(path);
    } catch { /* closed meanwhile */ }
  }
  return paths;
}

/** The code of the `SystemError` that `action` throws; any other error goes on its way. */
export function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof SystemError) return error.code;
    throw error;
  }
}

const NOBODY = 65534n, ROOT = 0n, SAME = -1n;

/**
 * Calls `action` without root's rights. The bare system call changes one thread only, so tests in others notice nothing;
 * `action` must not wait for anything.
 */
export function asOrdinaryUser<T>(action: () => T): T {
  if (!isRoot || !(libc instanceof Libc)) return action();
  const library = Deno.dlopen(libc.path, { syscall: { parameters: ["i64", "i64", "i64", "i64"], result: "i32" } });
  const [setGroup, setUser] = Deno.build.arch === "aarch64" ? [149n, 147n] : [119n, 117n];
  const { syscall } = library.symbols;
  equal(syscall(setGroup, SAME, NOBODY, SAME), 0);
  equal(syscall(setUser, SAME, NOBODY, SAME), 0);
  try {
    return action();
  } finally {
    equal(syscall(setUser, SAME, ROOT, SAME), 0);
    equal(syscall(setGroup, SAME, ROOT, SAME), 0);
    library.close();
  }
}
