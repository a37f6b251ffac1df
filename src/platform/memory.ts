import { findLibc } from "./open_file_system.ts";
import { Libc } from "./libc.ts";

const SYMBOLS = {
  malloc_trim: { parameters: ["usize"], result: "i32", optional: true, nonblocking: true },
} as const satisfies Deno.ForeignLibraryInterface;

let library: Deno.DynamicLibrary<typeof SYMBOLS> | null | undefined;

/**
 * Gives memory that was freed back to the system, on another thread. The allocator of glibc keeps what buffers of some MiB
 * leave behind in every thread: a third of all that a backup uses. Elsewhere it does nothing.
 */
export function releaseFreeMemory(): void {
  if (library === undefined) {
    const libc = findLibc();
    library = libc instanceof Libc ? Deno.dlopen(libc.path, SYMBOLS) : null;
  }
  library?.symbols.malloc_trim?.(0n).catch(() => {}); // only memory is at stake
}
