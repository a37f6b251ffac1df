import type { Fidelity } from "./file_system.ts";

const LOSSES: readonly [keyof Fidelity, string][] = [
  ["rawNames", "files whose names are not UTF-8, which Deno 2.7 and older do not even list"],
  ["nanoseconds", "times finer than a millisecond, and times before 1970"],
  ["xattrs", "extended attributes and ACLs"],
  ["specialFiles", "FIFOs, sockets and devices on restore"],
  ["owners", "owners and groups"],
  ["sparse", "holes in sparse files, which are read as zeros"],
  ["symlinkTimes", "times of symbolic links"],
];

/** The one warning about what an implementation loses; undefined if it loses nothing. */
export function fidelityWarning(fidelity: Fidelity): string | undefined {
  const lost = LOSSES.filter(([field]) => fidelity[field] === false).map(([, what]) => what);
  if (lost.length === 0) return undefined;
  const why = fidelity.reason === undefined ? "" : `, because ${fidelity.reason}`;
  return `Files are read and written without the system's own calls${why}. Lost: ${lost.join("; ")}`;
}
