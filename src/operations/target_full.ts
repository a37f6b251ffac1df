import { AxiomError, messageOf } from "../base/errors.ts";
import { displayName } from "../base/names.ts";
import type { SystemError } from "../platform/file_system.ts";

/** Whether a failed call at the target says that nothing more can be written there, rather than that one file is at fault. */
export function isFull(error: SystemError): boolean {
  return error.code === "ENOSPC" || error.code === "EDQUOT";
}

export function targetFull(path: string, cause: SystemError): AxiomError {
  return new AxiomError("target_full", `Cannot restore ${displayName(path)}: no space left (${messageOf(cause)})`, {
    hint: "Free space and run the same command again; it goes on where it stopped",
    cause,
  });
}
