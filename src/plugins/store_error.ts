import { AxiomError, type ErrorKind } from "../base/errors.ts";
import { missingObject } from "../storage/object_key.ts";
import type { PluginFailure } from "./plugin_failure.ts";

/** What a store's failure is called, by what its plugin said or the host saw; others are the plugin's own fault. */
const KINDS: Readonly<Record<string, ErrorKind>> = {
  transient: "storage_busy",
  deadline: "storage_busy",
  quota: "storage_full",
  auth: "storage_denied",
  permanent: "storage_failed",
  invalid_input: "storage_failed",
  unsupported: "storage_failed",
  corrupt_data: "storage_failed",
};

/** @param doing Such as `store` */
export function storeError(failure: PluginFailure, doing: string, key: string, location: string): AxiomError {
  if (failure.failure === "not_found") return missingObject(key, location, failure);
  const kind = failure.failure === "quota" && failure.wasStopped ? undefined : KINDS[failure.failure];
  if (kind === undefined) return failure;
  return new AxiomError(kind, `Cannot ${doing} ${key || "what is"} in ${location}: ${failure.message}`, {
    hint: failure.hint,
    cause: failure,
  });
}
