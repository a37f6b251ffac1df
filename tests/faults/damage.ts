import type { ObjectStore } from "../../src/storage/object_store.ts";

/** Leaves the first `keepBytes` of a stored object, as a power failure may. */
export async function truncateObject(store: ObjectStore, key: string, keepBytes: number): Promise<void> {
  const data = await store.get(key, "all");
  await store.remove(key);
  await store.put(key, data.slice(0, keepBytes));
}

/** Flips one bit of a stored object; `bit` counts from its start, the lowest bit of each byte first. */
export async function flipBit(store: ObjectStore, key: string, bit: number): Promise<void> {
  const data = await store.get(key, "all");
  await store.remove(key);
  data[Math.floor(bit / 8)] ^= 1 << bit % 8;
  await store.put(key, data);
}

/** Exchanges the content of two stored objects. */
export async function swapObjects(store: ObjectStore, first: string, second: string): Promise<void> {
  const [one, two] = [await store.get(first, "all"), await store.get(second, "all")];
  for (const [key, data] of [[first, two], [second, one]] as const) {
    await store.remove(key);
    await store.put(key, data);
  }
}
