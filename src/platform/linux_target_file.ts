import type { Bytes } from "../base/bytes.ts";
import { applyMetadata } from "./apply_metadata.ts";
import { ERRNO } from "./errno.ts";
import type { Metadata, MetadataLoss, TargetFile } from "./file_system.ts";
import { failure } from "./libc.ts";
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE } from "./linux_constants.ts";
import { LinuxObject } from "./linux_metadata.ts";
import { LinuxSourceFile } from "./linux_source_file.ts";
import { zeroRanges } from "./zero_ranges.ts";

/** An open regular file for writing; the descriptor belongs to it. */
export class LinuxTargetFile extends LinuxSourceFile implements TargetFile {
  write(data: Bytes, offset: number): void {
    const { libc } = this.calls;
    for (let done = 0; done < data.length;) {
      const rest = done === 0 ? data : data.subarray(done);
      const length = BigInt(rest.length), at = BigInt(offset + done);
      done += libc.run("write", this.path, () => libc.symbols.pwrite(this.descriptor, rest, length, at));
    }
  }

  truncate(sizeBytes: number): void {
    const { libc } = this.calls;
    const size = BigInt(sizeBytes);
    libc.run("ftruncate", this.path, () => libc.symbols.ftruncate(this.descriptor, size));
  }

  punchHole(offset: number, length: number): void {
    if (length === 0) return;
    const { libc } = this.calls;
    const from = BigInt(offset), size = BigInt(length);
    const result = libc.attempt(() =>
      libc.symbols.fallocate(this.descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from, size)
    );
    if (result === -ERRNO.ENOTSUP || result === -ERRNO.ENOSYS) {
      for (const { data, at } of zeroRanges(offset, length, this.stat().sizeBytes)) this.write(data, at);
    } else if (result < 0) throw failure(result, "fallocate", this.path);
  }

  setMetadata(metadata: Metadata): MetadataLoss[] {
    return applyMetadata(new LinuxObject(this.calls, this.descriptor, this.path, false), metadata, false);
  }

  /** Throws what a network file system says of the data only now. */
  override close(): void {
    if (this.descriptor < 0) return;
    const { libc } = this.calls;
    const descriptor = this.descriptor;
    this.descriptor = -1;
    if (libc.symbols.close(descriptor) === 0) return;
    const errno = libc.errno();
    // The descriptor is closed in any case, also when a signal came.
    if (errno !== ERRNO.EINTR) throw failure(-errno, "close", this.path);
  }
}
