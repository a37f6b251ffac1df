import type { Bytes } from "../base/bytes.ts";
import { decodeJson, encodeJson } from "../base/canonical_json.ts";
import { AxiomError, isKind } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { PREFIX } from "../model/object_keys.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import type { ObjectSealer } from "./object_sealer.ts";

/** Packs that are on a list of what will be deleted. */
export type Condemned = ReadonlySet<string>;

export interface CondemnedSource {
  store: ObjectStore;
  sealer: ObjectSealer;
  signal?: AbortSignal;
}

/** Lists of `condemned/` by key, each with the packs that it names; one that vanished since the listing is left out. */
export async function* readCondemnedLists(
  { store, sealer, signal }: CondemnedSource,
): AsyncGenerator<{ key: string; packs: string[] }> {
  for await (const { key } of store.list(PREFIX.condemned, signal)) {
    try {
      yield {
        key,
        packs: decodeCondemned(await sealer.open("condemned", key, await store.get(key, "all", signal)), key),
      };
    } catch (error) {
      if (!isKind(error, "object_missing")) throw error;
    }
  }
}

/** Packs that stand on any list of `condemned/`. Read before the index. Throws `data_damaged` for a list that cannot be read. */
export async function readCondemned(source: CondemnedSource): Promise<Condemned> {
  const names = new Set<string>();
  for await (const { packs } of readCondemnedLists(source)) for (const name of packs) names.add(name);
  return names;
}

/** `{"packs":[name, …],"version":1}` */
export function encodeCondemned(packs: readonly string[]): Bytes {
  return encodeJson({ packs: [...packs], version: 1 });
}

export function decodeCondemned(payload: Uint8Array, key: string): string[] {
  let document: { packs?: unknown; version?: unknown };
  try {
    document = decodeJson(payload) as typeof document;
  } catch {
    throw new AxiomError("data_damaged", `Cannot read ${key}: it is not JSON`);
  }
  const packs = document?.packs;
  if (document?.version !== 1 || !Array.isArray(packs) || packs.length > LIMITS.condemnedPacksMax) {
    throw new AxiomError("repository_unsupported", `Cannot read ${key}: it is not a list of packs`, {
      hint: "Update axiom",
    });
  }
  return packs.map(String);
}
