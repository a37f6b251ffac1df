import { AxiomError, messageOf } from "../base/errors.ts";
import { displayName } from "../base/names.ts";
import type { SystemError } from "../platform/file_system.ts";

/** Why a file of a source cannot be saved. */
export function sourceFault(path: string, error: SystemError): AxiomError {
  const cannot = `Cannot read ${displayName(path)}`;
  if (error.code === "ENOENT") return new AxiomError("source_changed", `${cannot}: it vanished`, { cause: error });
  if (error.code === "ENAMETOOLONG") {
    return new AxiomError("source_unreadable", `${cannot}: this system opens no path that is so long`, {
      hint: "Shorten names of folders above it, or bind one of them to a shorter path and back that up",
      cause: error,
    });
  }
  return new AxiomError("source_unreadable", `${cannot}: ${messageOf(error)}`, { cause: error });
}
