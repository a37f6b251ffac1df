import { ERRNO, errnoName } from "./errno.ts";
import { SystemError } from "./file_system.ts";

/**
 * Where Linux systems keep their C library. `--allow-ffi` matches absolute paths only, so a program that is to run with
 * few permissions must be granted all of these.
 */
export const LIBC_PATHS: Readonly<Record<"x86_64" | "aarch64", readonly string[]>> = {
  x86_64: libcPaths("x86_64"),
  aarch64: libcPaths("aarch64"),
};

function libcPaths(arch: string): string[] {
  return [
    `/lib/${arch}-linux-gnu/libc.so.6`, // Debian, Ubuntu
    `/usr/lib/${arch}-linux-gnu/libc.so.6`,
    "/lib64/libc.so.6", // Fedora, openSUSE
    "/usr/lib64/libc.so.6",
    "/usr/lib/libc.so.6", // Arch
    "/lib/libc.so.6",
    "/usr/glibc-compat/lib/libc.so.6", // glibc added to Alpine
    `/lib/libc.musl-${arch}.so.1`, // Alpine
    `/lib/ld-musl-${arch}.so.1`, // every musl: the loader is the library
  ];
}

/**
 * `syscall` stands under several names because each call has its own parameters; it is there in every libc, while the
 * wrappers of newer calls are not (`statx` came to musl in 1.2.5, `mknodat` to glibc in 2.33). Results that fit are
 * declared `i32`, the low half of what `long` and `ssize_t` return, because an `i64` becomes a `bigint`. Addresses are plain
 * numbers and memory is read by `memcpy`, because `Deno.UnsafePointerView` wants `--allow-ffi` without a path.
 */
const SYMBOLS = {
  errnoAddress: { name: "__errno_location", parameters: [], result: "u64" },
  copyFrom: { name: "memcpy", parameters: ["buffer", "u64", "usize"], result: "void" },
  addressOf: { name: "memcpy", parameters: ["buffer", "buffer", "usize"], result: "u64" },

  statx: { name: "syscall", parameters: ["i64", "i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
  getdents64: { name: "syscall", parameters: ["i64", "i32", "buffer", "usize"], result: "i32" },
  openat2: { name: "syscall", parameters: ["i64", "i32", "buffer", "buffer", "usize"], result: "i32" },
  renameat2: { name: "syscall", parameters: ["i64", "i32", "buffer", "i32", "buffer", "u32"], result: "i32" },
  mknodat: { name: "syscall", parameters: ["i64", "i32", "buffer", "u32", "u32"], result: "i32" },

  openat: { parameters: ["i32", "buffer", "i32", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "i32" },
  pwrite: { parameters: ["i32", "buffer", "usize", "i64"], result: "i32" },
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" },
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },
  fallocate: { parameters: ["i32", "i32", "i64", "i64"], result: "i32" },
  syncfs: { parameters: ["i32"], result: "i32" },
  readlinkat: { parameters: ["i32", "buffer", "buffer", "usize"], result: "i32" },
  realpath: { parameters: ["buffer", "buffer"], result: "usize" },
  statfs: { parameters: ["buffer", "buffer"], result: "i32" },

  mkdirat: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  symlinkat: { parameters: ["buffer", "i32", "buffer"], result: "i32" },
  linkat: { parameters: ["i32", "buffer", "i32", "buffer", "i32"], result: "i32" },
  unlinkat: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  renameat: { parameters: ["i32", "buffer", "i32", "buffer"], result: "i32" },
  chmod: { parameters: ["buffer", "u32"], result: "i32" },
  fchmod: { parameters: ["i32", "u32"], result: "i32" },
  fchown: { parameters: ["i32", "u32", "u32"], result: "i32" },
  fchownat: { parameters: ["i32", "buffer", "u32", "u32", "i32"], result: "i32" },
  futimens: { parameters: ["i32", "buffer"], result: "i32" },
  utimensat: { parameters: ["i32", "buffer", "buffer", "i32"], result: "i32" },

  llistxattr: { parameters: ["buffer", "buffer", "usize"], result: "i32" },
  lgetxattr: { parameters: ["buffer", "buffer", "buffer", "usize"], result: "i32" },
  listxattr: { parameters: ["buffer", "buffer", "usize"], result: "i32" },
  getxattr: { parameters: ["buffer", "buffer", "buffer", "usize"], result: "i32" },
  setxattr: { parameters: ["buffer", "buffer", "buffer", "usize", "i32"], result: "i32" },
  removexattr: { parameters: ["buffer", "buffer"], result: "i32" },
  flistxattr: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  fgetxattr: { parameters: ["i32", "buffer", "buffer", "usize"], result: "i32" },
  fsetxattr: { parameters: ["i32", "buffer", "buffer", "usize", "i32"], result: "i32" },
  fremovexattr: { parameters: ["i32", "buffer"], result: "i32" },

  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  tcgetattr: { parameters: ["i32", "buffer"], result: "i32" },
  tcsetattr: { parameters: ["i32", "i32", "buffer"], result: "i32" },

  gethostname: { parameters: ["buffer", "usize"], result: "i32" },
  geteuid: { parameters: [], result: "u32" },
  getegid: { parameters: [], result: "u32" },
  getpwuid_r: { parameters: ["u32", "buffer", "buffer", "usize", "buffer"], result: "i32" },
  getgrgid_r: { parameters: ["u32", "buffer", "buffer", "usize", "buffer"], result: "i32" },
  getpwnam_r: { parameters: ["buffer", "buffer", "buffer", "usize", "buffer"], result: "i32" },
  getgrnam_r: { parameters: ["buffer", "buffer", "buffer", "usize", "buffer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

type Symbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
type SymbolName = keyof typeof SYMBOLS;

/** What every program here calls. */
const FIRST = ["errnoAddress", "copyFrom", "statx", "getdents64", "openat", "close"] as const satisfies SymbolName[];

let isLazy = false;

/**
 * Has functions loaded when they are called first, from here on: each takes half a millisecond of every thread that loads it. A
 * test takes a library that is loaded while it runs for a leak, so it is only for programs.
 */
export function loadWhenCalled(): void {
  isLazy = true;
}

function loadSymbols(path: string): Symbols {
  if (!isLazy) return Deno.dlopen(path, SYMBOLS).symbols;
  const load = (names: readonly SymbolName[]): Partial<Symbols> =>
    Deno.dlopen(path, Object.fromEntries(names.map((name) => [name, SYMBOLS[name]]))).symbols as Partial<Symbols>;
  const symbols: Record<string, unknown> = { ...load(FIRST) };
  for (const name of Object.keys(SYMBOLS) as SymbolName[]) {
    symbols[name] ??= (...parameters: never[]) => {
      const call = load([name])[name] as (...parameters: never[]) => unknown;
      symbols[name] = call;
      return call(...parameters);
    };
  }
  return symbols as Symbols;
}

/** The C library, with failures as values: `-errno`, as the kernel returns them. */
export class Libc {
  readonly symbols: Symbols;
  readonly #errno = new Int32Array(new ArrayBuffer(4));

  /** Throws if `path` is no C library of this system or may not be opened. */
  constructor(readonly path: string) {
    this.symbols = loadSymbols(path);
  }

  /** Of the call just made; asks for its address each time because it belongs to the thread. */
  errno(): number {
    this.symbols.copyFrom(this.#errno, this.symbols.errnoAddress(), 4n);
    return this.#errno[0];
  }

  /** The result of `call`, repeated while a signal interrupts it, or `-errno`. */
  attempt(call: () => number): number {
    for (;;) {
      const result = call();
      if (result !== -1) return result;
      const errno = this.errno();
      if (errno !== ERRNO.EINTR) return -errno;
    }
  }

  /** Like {@linkcode attempt}, but throws a {@linkcode SystemError} about `path`. */
  run(name: string, path: string, call: () => number): number {
    const result = this.attempt(call);
    if (result < 0) throw failure(result, name, path);
    return result;
  }
}

/** @param result `-errno` */
export function failure(result: number, name: string, path: string): SystemError {
  return new SystemError(errnoName(-result), name, path);
}
