import type { Fault, MetadataCalls } from "./apply_metadata.ts";
import { cString } from "./c_string.ts";
import { ERRNO, errnoName } from "./errno.ts";
import { failure, type Libc } from "./libc.ts";
import type { LinuxCalls } from "./linux_calls.ts";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  UTIME_OMIT,
} from "./linux_constants.ts";
import { replaceXattrs, type XattrCalls, xattrsOfDescriptor, xattrsOfHandle } from "./linux_xattrs.ts";
import { timespecOf } from "./times.ts";

/** In place of an owner or group: leaves it as it is. */
const SAME = 0xffffffff;
const SECONDS_2038 = 2n ** 31n;

/** Two `timespec`s: access, which stays as it is, and modification. */
const times = new BigInt64Array(new ArrayBuffer(32));
times[1] = BigInt(UTIME_OMIT);
const timesBytes = new Uint8Array(times.buffer);

/** What differs between ways to hold an object open; results as {@linkcode Libc.attempt} gives them. */
interface ObjectCalls {
  chown(uid: number, gid: number): number;
  chmod(mode: number): number;
  /** @param times Two `timespec`s: access and modification */
  setTimes(times: Uint8Array<ArrayBuffer>): number;
  xattrs: XattrCalls;
}

/** A class, because a restore makes one for each file. */
class CallsOnDescriptor implements ObjectCalls {
  constructor(readonly libc: Libc, readonly descriptor: number) {}

  chown(uid: number, gid: number): number {
    return this.libc.symbols.fchown(this.descriptor, uid, gid);
  }

  chmod(mode: number): number {
    return this.libc.symbols.fchmod(this.descriptor, mode);
  }

  setTimes(times: Uint8Array<ArrayBuffer>): number {
    return this.libc.symbols.futimens(this.descriptor, times);
  }

  get xattrs(): XattrCalls {
    return xattrsOfDescriptor(this.libc, this.descriptor);
  }
}

/** For an `O_PATH` descriptor, which stands for symbolic links, sockets and files that may not be opened. */
function callsOnHandle({ libc }: LinuxCalls, descriptor: number): ObjectCalls {
  const { symbols } = libc;
  const path = `/proc/self/fd/${descriptor}`;
  return {
    chown: (uid, gid) => symbols.fchownat(descriptor, cString("", "chown"), uid, gid, AT_EMPTY_PATH),
    chmod: (mode) => symbols.chmod(cString(path, "chmod"), mode),
    setTimes(times) {
      const result = symbols.utimensat(descriptor, cString("", "utimensat"), times, AT_EMPTY_PATH);
      // Linux before 5.8 knows no AT_EMPTY_PATH here.
      if (result === 0 || libc.errno() !== ERRNO.EINVAL) return result;
      return symbols.utimensat(AT_FDCWD, cString(path, "utimensat"), times, 0);
    },
    xattrs: xattrsOfHandle(libc, path),
  };
}

/** An object that is held open. */
export class LinuxObject implements MetadataCalls {
  readonly #on: ObjectCalls;

  /** @param isHandle Whether the descriptor was opened with `O_PATH` */
  constructor(
    readonly calls: LinuxCalls,
    readonly descriptor: number,
    readonly path: string,
    readonly isHandle: boolean,
  ) {
    this.#on = isHandle ? callsOnHandle(calls, descriptor) : new CallsOnDescriptor(calls.libc, descriptor);
  }

  get xattrs(): XattrCalls {
    return this.#on.xattrs;
  }

  stat() {
    return this.calls.statOpen(this.descriptor, this.path);
  }

  chown(uid: number | undefined, gid: number | undefined): Fault {
    if (uid === SAME || gid === SAME) return "EINVAL";
    return fault(this.calls.libc, () => this.#on.chown(uid ?? SAME, gid ?? SAME));
  }

  chmod(mode: number): Fault {
    return fault(this.calls.libc, () => this.#on.chmod(mode));
  }

  replaceXattrs(wanted: Parameters<MetadataCalls["replaceXattrs"]>[0]) {
    return replaceXattrs(this.calls.libc, this.#on.xattrs, wanted);
  }

  setTimes(mtimeNs: string): Fault {
    const mtime = timespecOf(mtimeNs);
    if (mtime === undefined) return "EINVAL";
    times[2] = mtime.seconds;
    times[3] = mtime.nanoseconds;
    const code = fault(this.calls.libc, () => this.#on.setTimes(timesBytes));
    if (code !== undefined) return code;
    // File systems put what they cannot hold to their nearest bound, without an error.
    if (mtime.seconds >= 0n && mtime.seconds < SECONDS_2038) return undefined;
    return this.stat().mtimeNs === BigInt(mtimeNs).toString() ? undefined : "EINVAL";
  }
}

function fault(libc: Libc, call: () => number): Fault {
  const result = libc.attempt(call);
  return result < 0 ? errnoName(-result) : undefined;
}

/** Opens what stands at `name`, never following a link, for the time of `action`. */
export function withObject<T>(
  calls: LinuxCalls,
  folder: number,
  name: string,
  path: string,
  action: (object: LinuxObject) => T,
): T {
  const text = cString(name, "open");
  const open = (flags: number) =>
    calls.libc.attempt(() => calls.libc.symbols.openat(folder, text, flags | O_NOFOLLOW | O_CLOEXEC, 0));
  // Folders are opened for reading, because that works where /proc is not mounted.
  const readable = open(O_RDONLY | O_DIRECTORY | O_NONBLOCK);
  const descriptor = readable >= 0 ? readable : open(O_PATH);
  if (descriptor < 0) throw failure(descriptor, "open", path);
  try {
    return action(new LinuxObject(calls, descriptor, path, readable < 0));
  } finally {
    calls.close(descriptor);
  }
}
