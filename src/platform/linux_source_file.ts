import type { Bytes } from "../base/bytes.ts";
import { ERRNO } from "./errno.ts";
import type { FileStat, SourceFile } from "./file_system.ts";
import { failure } from "./libc.ts";
import type { LinuxCalls } from "./linux_calls.ts";
import { SEEK_DATA, SEEK_HOLE } from "./linux_constants.ts";

/** An open regular file; the descriptor belongs to it. */
export class LinuxSourceFile implements SourceFile {
  protected descriptor: number;

  constructor(protected readonly calls: LinuxCalls, descriptor: number, protected readonly path: string) {
    this.descriptor = descriptor;
  }

  stat(): FileStat {
    return this.calls.statOpen(this.descriptor, this.path);
  }

  read(into: Bytes, offset: number): number {
    const { libc } = this.calls;
    let done = 0;
    while (done < into.length) {
      const rest = done === 0 ? into : into.subarray(done);
      const length = BigInt(rest.length), at = BigInt(offset + done);
      const count = libc.run("read", this.path, () => libc.symbols.pread(this.descriptor, rest, length, at));
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  *dataSegments(sizeBytes: number): Generator<{ offset: number; length: number }> {
    for (let at = 0; at < sizeBytes;) {
      const start = this.#seek(at, SEEK_DATA);
      if (start === -ERRNO.ENXIO || start >= sizeBytes) return;
      if (start === -ERRNO.EINVAL || start === -ERRNO.ENOTSUP) {
        yield { offset: at, length: sizeBytes - at };
        return;
      }
      if (start < 0) throw failure(start, "lseek", this.path);
      const hole = this.#seek(start, SEEK_HOLE);
      // The file shrank meanwhile; whoever reads will see its end.
      const end = hole < 0 ? sizeBytes : Math.min(hole, sizeBytes);
      yield { offset: start, length: end - start };
      at = end;
    }
  }

  #seek(offset: number, whence: number): number {
    const { libc } = this.calls;
    const result = Number(libc.symbols.lseek(this.descriptor, BigInt(offset), whence));
    return result === -1 ? -libc.errno() : result;
  }

  close(): void {
    if (this.descriptor < 0) return;
    this.calls.close(this.descriptor);
    this.descriptor = -1;
  }
}
