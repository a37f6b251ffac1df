import type { Bytes } from "../base/bytes.ts";
import { cString, isCString, readCString } from "./c_string.ts";
import { ERRNO } from "./errno.ts";
import type { Libc } from "./libc.ts";

const BUFFER_BYTES = 16 * 1024;
/** A group's entry names all its members. */
const BUFFER_BYTES_MAX = 16 * 1024 * 1024;

type Lookup = (record: Bytes, buffer: Bytes, size: bigint, found: Bytes) => number;

/** Names and numbers of users and groups, from every source that the system asks (files, LDAP, …); remembers the answers. */
export class LinuxAccounts {
  readonly #names = new Map<string, string | undefined>();
  readonly #ids = new Map<string, number | undefined>();

  constructor(readonly libc: Libc) {}

  userName(uid: number): string | undefined {
    const { symbols } = this.libc;
    return remember(this.#names, `u${uid}`, () => this.#ask((...rest) => symbols.getpwuid_r(uid, ...rest))?.name);
  }

  groupName(gid: number): string | undefined {
    const { symbols } = this.libc;
    return remember(this.#names, `g${gid}`, () => this.#ask((...rest) => symbols.getgrgid_r(gid, ...rest))?.name);
  }

  userId(name: string): number | undefined {
    const { symbols } = this.libc;
    const ask = () => this.#ask((...rest) => symbols.getpwnam_r(cString(name, "getpwnam_r"), ...rest))?.id;
    return remember(this.#ids, `u${name}`, () => isCString(name) ? ask() : undefined);
  }

  groupId(name: string): number | undefined {
    const { symbols } = this.libc;
    const ask = () => this.#ask((...rest) => symbols.getgrnam_r(cString(name, "getgrnam_r"), ...rest))?.id;
    return remember(this.#ids, `g${name}`, () => isCString(name) ? ask() : undefined);
  }

  /**
   * `struct passwd` and `struct group` both begin with a pointer to the name, a pointer to the password, and the number.
   * The pointers lead into `buffer`, which stays where it is because it is not on the JavaScript heap.
   */
  #ask(lookup: Lookup): { name: string; id: number } | undefined {
    const record = new Uint8Array(new ArrayBuffer(64)), found = new Uint8Array(new ArrayBuffer(8));
    for (let size = BUFFER_BYTES; size <= BUFFER_BYTES_MAX; size *= 4) {
      const buffer = new Uint8Array(new ArrayBuffer(size));
      let error: number = ERRNO.EINTR;
      while (error === ERRNO.EINTR) error = lookup(record, buffer, BigInt(size), found);
      if (error === ERRNO.ERANGE) continue;
      if (error !== 0 || found.every((byte) => byte === 0)) return undefined;
      const view = new DataView(record.buffer);
      const start = Number(view.getBigUint64(0, true) - this.libc.symbols.addressOf(buffer, buffer, 0n));
      return start >= 0 && start < size
        ? { name: readCString(buffer, start), id: view.getUint32(16, true) }
        : undefined;
    }
    return undefined;
  }
}

function remember<T>(known: Map<string, T>, key: string, ask: () => T): T {
  if (!known.has(key)) known.set(key, ask());
  return known.get(key)!;
}
