import { AxiomError, messageOf } from "../base/errors.ts";
import { displayName } from "../base/names.ts";
import type { SystemError } from "../platform/file_system.ts";

/** Why a file of a source cannot be saved. */
export function sourceFault(path: string, error: SystemError): AxiomError {
  const vanished = error.code === "ENOENT";
  const why = vanished ? "it vanished" : messageOf(error);
  return new AxiomError(vanished ? "source_changed" : "source_unreadable", `Cannot read ${displayName(path)}: ${why}`, {
    cause: error,
  });
}
