import type { Bytes } from "../base/bytes.ts";
import { decodeJson, encodeJson } from "../base/canonical_json.ts";
import { AxiomError, isKind } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { LIMITS } from "../base/limits.ts";
import { isDocument, isHexOf } from "../model/fields.ts";
import { PREFIX } from "../model/object_keys.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import type { ObjectSealer } from "./object_sealer.ts";

/** Packs that are on a list of what will be deleted. */
export type Condemned = Pick<ReadonlySet<string>, "has">;

/** What is known of the packs while a list cannot be read. */
export const EVERY_PACK: Condemned = { has: () => true };

export interface CondemnedSource {
  store: ObjectStore;
  sealer: ObjectSealer;
  signal?: AbortSignal;
}

/**
 * Packs that stand on any list of `condemned/`; to be read before the index. A damaged list may name any pack, so then every
 * pack counts as condemned: what is stored twice is safe, and what a deleter takes away is not.
 */
export async function readCondemned(source: CondemnedSource, onEvent: EventSink): Promise<Condemned> {
  const names = new Set<string>();
  const damaged: string[] = [];
  for await (const { key } of source.store.list(PREFIX.condemned, source.signal)) {
    try {
      for (const name of await readList(source, key)) names.add(name);
    } catch (error) {
      if (isKind(error, "object_missing")) continue; // its deleter is done with it
      if (!isKind(error, "data_damaged", "limit_exceeded")) throw error;
      damaged.push(error.message);
    }
  }
  for (const why of damaged) {
    const message =
      `A list of packs to delete is damaged, so no pack is relied on and everything is stored anew: ${why}`;
    onEvent({ type: "warning", code: "damaged_condemned", message });
  }
  return damaged.length > 0 ? EVERY_PACK : names;
}

async function readList({ store, sealer, signal }: CondemnedSource, key: string): Promise<string[]> {
  return decodeCondemned(await sealer.open("condemned", key, await store.get(key, "all", signal)), key);
}

/** `{"packs":[name, …],"version":1}` */
export function encodeCondemned(packs: readonly string[]): Bytes {
  return encodeJson({ packs: [...packs], version: 1 });
}

export function decodeCondemned(payload: Uint8Array, key: string): string[] {
  const damaged = (why: string) => new AxiomError("data_damaged", `Cannot read ${key}: ${why}`);
  let document: { packs?: unknown; version?: unknown } | null;
  try {
    document = decodeJson(payload) as typeof document;
  } catch {
    throw damaged("it is not JSON");
  }
  if (!isDocument(document)) throw damaged("it is no object");
  const { packs, version } = document;
  if (version !== 1) {
    throw new AxiomError("repository_unsupported", `Cannot read ${key}: version ${version}`, { hint: "Update axiom" });
  }
  if (!Array.isArray(packs) || !packs.every((name) => isHexOf(name, 32))) throw damaged("it is not a list of packs");
  if (packs.length > LIMITS.condemnedPacksMax) {
    throw new AxiomError("limit_exceeded", `Cannot read ${key}: it names ${packs.length} packs`);
  }
  return packs;
}
