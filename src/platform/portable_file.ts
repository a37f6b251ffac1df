import type { Bytes } from "../base/bytes.ts";
import { applyMetadata } from "./apply_metadata.ts";
import {
  type FileStat,
  type Metadata,
  type MetadataLoss,
  type SourceFile,
  SystemError,
  type TargetFile,
} from "./file_system.ts";
import { admit, fileStatOf, portableLstat } from "./portable_calls.ts";
import { translate } from "./portable_errors.ts";
import { PortableObject } from "./portable_metadata.ts";
import { zeroRanges } from "./zero_ranges.ts";

/**
 * Opens the regular file at `path`. Deno cannot be told not to follow a link, so what was opened is compared with what was
 * there before.
 */
export function openPortableFile(path: string, access: "read" | "write"): PortableFile {
  const before = portableLstat(path);
  if (before.type !== "file") {
    const code = before.type === "symlink" ? "ELOOP" : before.type === "dir" ? "EISDIR" : "EINVAL";
    throw new SystemError(code, "open", path);
  }
  if (access === "write") admit(path, "open", "write");
  const options = { read: true, write: access === "write" };
  const file = new PortableFile(translate("open", path, () => Deno.openSync(path, options)), path);
  const after = file.stat();
  if (after.inode === before.inode && after.device === before.device && after.type === "file") return file;
  file.close();
  throw new SystemError("ESTALE", "open", path);
}

/** An open regular file by Deno's own calls. */
export class PortableFile implements SourceFile, TargetFile {
  #isOpen = true;

  constructor(readonly file: Deno.FsFile, readonly path: string) {}

  stat(): FileStat {
    return translate("fstat", this.path, () => fileStatOf(this.file.statSync()));
  }

  read(into: Bytes, offset: number): number {
    return translate("read", this.path, () => {
      this.file.seekSync(offset, Deno.SeekMode.Start);
      let done = 0;
      while (done < into.length) {
        const count = this.file.readSync(into.subarray(done));
        if (count === null || count === 0) break;
        done += count;
      }
      return done;
    });
  }

  *dataSegments(sizeBytes: number): Generator<{ offset: number; length: number }> {
    if (sizeBytes > 0) yield { offset: 0, length: sizeBytes };
  }

  write(data: Bytes, offset: number): void {
    translate("write", this.path, () => {
      this.file.seekSync(offset, Deno.SeekMode.Start);
      for (let done = 0; done < data.length;) done += this.file.writeSync(data.subarray(done));
    });
  }

  truncate(sizeBytes: number): void {
    translate("ftruncate", this.path, () => this.file.truncateSync(sizeBytes));
  }

  punchHole(offset: number, length: number): void {
    for (const { data, at } of zeroRanges(offset, length, this.stat().sizeBytes)) this.write(data, at);
  }

  setMetadata(metadata: Metadata): MetadataLoss[] {
    return applyMetadata(new PortableObject(this.path, false), metadata, false);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.file.close();
  }
}
