import { LIMITS } from "../base/limits.ts";
import { generationName } from "../model/object_keys.ts";
import type { ObjectStore } from "../storage/object_store.ts";

export interface Generation {
  generation: number;
  objectKey: string;
  sizeBytes: number;
}

/** Objects `<prefix><10 digits>`, the newest first, at most `LIMITS.generationsTriedMax` of them; others are ignored. */
export async function listGenerations(
  store: ObjectStore,
  prefix: string,
  signal?: AbortSignal,
): Promise<Generation[]> {
  const found: Generation[] = [];
  for await (const { key, sizeBytes } of store.list(prefix, signal)) {
    const name = key.slice(prefix.length);
    if (/^[0-9]{10}$/.test(name) && Number(name) > 0) {
      found.push({ generation: Number(name), objectKey: key, sizeBytes });
    }
  }
  return found.sort((a, b) => b.generation - a.generation).slice(0, LIMITS.generationsTriedMax);
}

export function generationKey(prefix: string, generation: number): string {
  return prefix + generationName(generation);
}
