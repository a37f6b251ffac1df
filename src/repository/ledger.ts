/**
 * `ledger/<seq>`: who took which snapshots away, so that one which is missing without a record is noticed. Write-once
 * records under the next free number; numbers have no gaps unless somebody removed a record.
 *
 * ```text
 * {"by":{"client":…,"host":…,"user":…},"reason":…,"removed":[{"id":…,"replaced_by":…}, …],"time":…,"version":1}
 * ```
 */
import { decodeJson, encodeJson, type Json } from "../base/canonical_json.ts";
import { AxiomError, isKind, messageOf } from "../base/errors.ts";
import { isDocument, isHexOf, isTimeNs } from "../model/fields.ts";
import { ledgerKey, PREFIX } from "../model/object_keys.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import { listGenerations } from "./generations.ts";
import type { ObjectSealer } from "./object_sealer.ts";

export interface RemovedSnapshot {
  id: string;
  /** The one that says the same with other tags, for example. */
  replaced_by?: string;
}

export interface LedgerRecord {
  version: 1;
  /** Such as `tag` or `forget`. */
  reason: string;
  removed: RemovedSnapshot[];
  by: { client: string; host: string; user: string };
  /** Nanoseconds since 1970. */
  time: string;
  [later: string]: unknown;
}

export interface Ledger {
  /** In order of their numbers. */
  records: { sequence: number; record: LedgerRecord }[];
  damaged: { key: string; reason: string }[];
}

/** Numbers tried before something must be wrong: as many writers at once as are plausible. */
const TRIES_MAX = 1000;
const ID_BYTES = 16;

/** Stores a record under the next free number, which it returns. */
export async function appendLedger(
  store: ObjectStore,
  sealer: ObjectSealer,
  record: LedgerRecord,
  signal?: AbortSignal,
): Promise<number> {
  const payload = encodeJson(record as unknown as Json);
  decodeLedgerRecord(payload, "a new record");
  const [newest] = await listGenerations(store, PREFIX.ledger, signal);
  const first = (newest?.generation ?? 0) + 1;
  for (let sequence = first; sequence < first + TRIES_MAX; sequence++) {
    const key = ledgerKey(sequence);
    try {
      await store.put(key, await sealer.seal("ledger", key, payload), signal);
      return sequence;
    } catch (error) {
      if (!isKind(error, "object_exists")) throw error;
    }
  }
  throw new AxiomError("storage_failed", `Cannot add to the ledger: ${TRIES_MAX} numbers from ${first} are taken`);
}

export async function readLedger(store: ObjectStore, sealer: ObjectSealer, signal?: AbortSignal): Promise<Ledger> {
  const ledger: Ledger = { records: [], damaged: [] };
  for await (const { key } of store.list(PREFIX.ledger, signal)) {
    const sequence = Number(/^ledger\/([0-9]{10})$/.exec(key)?.[1]);
    if (!(sequence > 0)) continue;
    try {
      const payload = await sealer.open("ledger", key, await store.get(key, "all", signal));
      ledger.records.push({ sequence, record: decodeLedgerRecord(payload, key) });
    } catch (error) {
      if (!isKind(error, "data_damaged", "limit_exceeded", "object_missing")) throw error;
      ledger.damaged.push({ key, reason: messageOf(error) });
    }
  }
  ledger.records.sort((a, b) => a.sequence - b.sequence);
  return ledger;
}

/** Throws `data_damaged`, or `repository_unsupported` for a later version. */
export function decodeLedgerRecord(payload: Uint8Array, key: string): LedgerRecord {
  const refuse = (why: string) => new AxiomError("data_damaged", `Cannot read ${key}: ${why}`);
  let record: LedgerRecord;
  try {
    record = decodeJson(payload) as unknown as LedgerRecord;
  } catch {
    throw refuse("it is not JSON");
  }
  if (!isDocument(record)) throw refuse("it is no object");
  if (record.version !== 1) {
    throw new AxiomError("repository_unsupported", `Cannot read ${key}: version ${record.version}`, {
      hint: "Update axiom",
    });
  }
  if (typeof record.reason !== "string" || !isTimeNs(record.time)) throw refuse("its reason or time is missing");
  const { by, removed } = record;
  if (!isDocument(by) || ![by.client, by.host, by.user].every((name) => typeof name === "string")) {
    throw refuse("it does not say who made it");
  }
  if (!Array.isArray(removed) || !removed.every(isRemoval)) throw refuse("its list of snapshots is malformed");
  return record;
}

function isRemoval(removal: unknown): boolean {
  return isDocument(removal) && isHexOf(removal.id, ID_BYTES) &&
    (removal.replaced_by === undefined || isHexOf(removal.replaced_by, ID_BYTES));
}
