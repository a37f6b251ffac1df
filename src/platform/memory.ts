import { MIB } from "../base/bytes.ts";
import { Libc } from "./libc.ts";
import { findLibc } from "./open_file_system.ts";

const SYMBOLS = {
  malloc_trim: { parameters: ["usize"], result: "i32", optional: true },
  mallopt: { parameters: ["i32", "i32"], result: "i32", optional: true },
} as const satisfies Deno.ForeignLibraryInterface;

const libc = findLibc();
const library = libc instanceof Libc ? Deno.dlopen(libc.path, SYMBOLS) : undefined;

/** `man 3 mallopt` */
const M_TRIM_THRESHOLD = -1;
const M_MMAP_THRESHOLD = -3;
const M_ARENA_MAX = -8;

/**
 * Lets glibc use the memory of large buffers again in place of mapping and clearing it anew for each: a fifth of the CPU time
 * of a backup of incompressible data. Concerns every thread that starts later.
 */
export function keepFreedMemory(): void {
  library?.symbols.mallopt?.(M_TRIM_THRESHOLD, 16 * MIB);
  library?.symbols.mallopt?.(M_MMAP_THRESHOLD, 32 * MIB);
  library?.symbols.mallopt?.(M_ARENA_MAX, 2);
}

/**
 * Gives memory that was freed back to the system; takes some milliseconds. The allocator of glibc keeps what buffers of some
 * MiB leave behind in every thread: a third of all that a backup uses. Elsewhere it does nothing.
 */
export function releaseFreeMemory(): void {
  library?.symbols.malloc_trim?.(0n);
}
