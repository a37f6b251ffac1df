import fs from "node:fs"; // not by name: Deno 2.4 has lchownSync in the object only
import type { Fault, MetadataCalls } from "./apply_metadata.ts";
import { type FileStat, type MetadataLoss, SystemError, type Xattr } from "./file_system.ts";
import { portableLstat } from "./portable_calls.ts";
import { translate } from "./portable_errors.ts";
import { timespecOf } from "./times.ts";

const DATE_MS_MAX = 8.64e15;

/** What stands at a path, which the caller has looked at. */
export class PortableObject implements MetadataCalls {
  constructor(readonly path: string, readonly isLink: boolean) {}

  stat(): FileStat {
    return portableLstat(this.path);
  }

  chown(uid: number | undefined, gid: number | undefined): Fault {
    if (Deno.build.os === "windows") return "ENOTSUP";
    const { uid: oldUid, gid: oldGid } = this.stat();
    return this.#fault("chown", () => fs.lchownSync(this.path, uid ?? oldUid, gid ?? oldGid));
  }

  chmod(mode: number): Fault {
    return this.#fault("chmod", () => fs.chmodSync(this.path, mode));
  }

  replaceXattrs(wanted: readonly Xattr[]): MetadataLoss[] {
    return wanted.map(({ name }) => ({ what: "xattr", detail: name, code: "ENOTSUP" }));
  }

  /** To the millisecond. Deno sets the present time in place of one before 1970. */
  setTimes(mtimeNs: string): Fault {
    const time = timespecOf(mtimeNs);
    if (time === undefined || time.seconds < 0n || Number(time.seconds) * 1000 > DATE_MS_MAX) return "EINVAL";
    const date = new Date(Number(time.seconds) * 1000 + Number(time.nanoseconds / 1_000_000n));
    return this.#fault(
      "utimes",
      () => this.isLink ? fs.lutimesSync(this.path, date, date) : fs.utimesSync(this.path, date, date),
    );
  }

  #fault(call: string, action: () => void): Fault {
    try {
      translate(call, this.path, action);
      return undefined;
    } catch (error) {
      if (error instanceof SystemError) return error.code;
      throw error;
    }
  }
}
