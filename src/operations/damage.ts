import { type AxiomError, isKind } from "../base/errors.ts";

/** What says that something stored is gone or not what it must be, rather than that the store failed. */
export function isDamage(error: unknown): error is AxiomError {
  return isKind(error, "data_damaged", "object_missing", "limit_exceeded", "repository_unsupported");
}
