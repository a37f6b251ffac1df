import fs from "node:fs";
import {
  type Fidelity,
  type FileStat,
  type FileSystem,
  type SourceFile,
  SystemError,
  type TargetTree,
  type Xattr,
} from "./file_system.ts";
import { otherClocks } from "./other_clocks.ts";
import { PortableAccounts } from "./portable_accounts.ts";
import { admit, fileStatOf, portableLstat, requireExact } from "./portable_calls.ts";
import { translate } from "./portable_errors.ts";
import { openPortableFile } from "./portable_file.ts";
import { PortableTargetTree } from "./portable_target_tree.ts";
import { joinPath } from "./target_path.ts";
import { volumeKind } from "./volume_kinds.ts";

/** Every system by Deno's own calls, with what these lose. */
export class PortableFileSystem implements FileSystem {
  readonly fidelity: Fidelity;
  readonly #accounts = new PortableAccounts();

  /** @param reason Why no better implementation is in use */
  constructor(reason?: string) {
    this.fidelity = {
      implementation: "portable",
      ...(reason === undefined ? {} : { reason }),
      nanoseconds: false,
      rawNames: false,
      xattrs: false,
      specialFiles: false,
      owners: Deno.build.os !== "windows",
      sparse: false,
      symlinkTimes: Deno.build.os !== "windows",
    };
  }

  lstat(path: string): FileStat {
    return portableLstat(path);
  }

  readNames(path: string): string[] {
    this.#requireFolder(path, "readdir");
    return translate("readdir", path, () => Array.from(Deno.readDirSync(path), (entry) => entry.name));
  }

  statNames(folder: string, names: readonly string[]): (FileStat | SystemError)[] {
    this.#requireFolder(folder, "lstat");
    return names.map((name) => {
      const path = joinPath(folder, name);
      try {
        requireExact(path, "lstat");
        return translate("lstat", path, () => fileStatOf(Deno.lstatSync(path)));
      } catch (error) {
        if (error instanceof SystemError) return error;
        throw error;
      }
    });
  }

  readLink(path: string): string {
    admit(path, "readlink", "read");
    return translate("readlink", path, () => Deno.readLinkSync(path));
  }

  xattrs(path: string): Xattr[] {
    portableLstat(path);
    return [];
  }

  openForReading(path: string): SourceFile {
    return openPortableFile(path, "read");
  }

  realPath(path: string): string {
    admit(path, "realpath", "read");
    return translate("realpath", path, () => Deno.realPathSync(path));
  }

  openTarget(path: string): TargetTree {
    return new PortableTargetTree(path);
  }

  volume(path: string): { kind: string; freeBytes: number } | undefined {
    if (Deno.permissions.querySync({ name: "sys", kind: "statfs" }).state !== "granted") return undefined;
    try {
      admit(path, "statfs", "read");
      const { type, bavail, bsize } = fs.statfsSync(path);
      return { kind: Deno.build.os === "linux" ? volumeKind(type) : "unknown", freeBytes: bavail * bsize };
    } catch {
      return undefined;
    }
  }

  otherClocks(): ReadonlySet<string> {
    return otherClocks();
  }

  userName(uid: number): string | undefined {
    return this.#accounts.userName(uid);
  }

  groupName(gid: number): string | undefined {
    return this.#accounts.groupName(gid);
  }

  userId(name: string): number | undefined {
    return this.#accounts.userId(name);
  }

  groupId(name: string): number | undefined {
    return this.#accounts.groupId(name);
  }

  /** A link in a folder's place is not followed, as everywhere, unless the path ends in `/`. */
  #requireFolder(path: string, call: string): void {
    if (!path.endsWith("/") && portableLstat(path).type !== "dir") throw new SystemError("ENOTDIR", call, path);
    admit(path, call, "read");
  }
}
