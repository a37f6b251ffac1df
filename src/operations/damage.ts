import { type AxiomError, isKind } from "../base/errors.ts";
import { PREFIX } from "../model/object_keys.ts";
import { generationKey } from "../repository/generations.ts";
import type { Repository } from "../repository/repository.ts";

/** What says that something stored is gone or not what it must be, rather than that the store failed. */
export function isDamage(error: unknown): error is AxiomError {
  return isKind(error, "data_damaged", "object_missing", "limit_exceeded", "repository_unsupported");
}

/**
 * Whether a failed read of one object is about that object, which is there: it is short, or the store fails at it and works
 * elsewhere, as a disk with a bad sector does.
 */
export async function isObjectFault(
  { store, opened }: Repository,
  error: unknown,
  signal?: AbortSignal,
): Promise<boolean> {
  if (isKind(error, "data_damaged", "limit_exceeded")) return true;
  if (!isKind(error, "storage_failed", "storage_denied")) return false;
  try {
    await store.get(generationKey(PREFIX.config, opened.configGeneration), "all", signal);
    return true;
  } catch (probe) {
    return isKind(probe, "object_missing", "data_damaged");
  }
}
