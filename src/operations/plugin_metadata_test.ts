import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import { fakeContent } from "../../tests/fixtures/memory_trees.ts";
import { MemoryRepository } from "../../tests/fixtures/memory_repository.ts";
import { pluginMetadata } from "./plugin_metadata.ts";

Deno.test("plugins see snapshots and one folder at a time, no content", async () => {
  const memory = new MemoryRepository(), { signal } = new AbortController();
  const home = { children: new Map(Object.entries({ "a.txt": fakeContent("text"), deep: { children: new Map() } })) };
  memory.snapshots = [await memory.trees.snapshot(new Map(Object.entries({ home })))];
  const metadata = pluginMetadata(memory.repository);
  const [snapshot] = await metadata.snapshots(signal) as { id: string; mode: string }[];
  equal(snapshot.id, memory.snapshots[0].id);
  const list = (path: string) =>
    Array.fromAsync(metadata.entries(snapshot.id, path, signal)) as Promise<{ name: string }[]>;
  deepEqual((await list("/")).map(({ name }) => name), ["home"]);
  const [file, folder] = await list("/home") as unknown as Record<string, unknown>[];
  deepEqual([file.name, file.type, file.length, folder.name, folder.type], ["a.txt", "file", 4, "deep", "dir"]);
  await rejects(list("/none"), { kind: "path_missing" });
  await rejects(Array.fromAsync(metadata.entries("ff", "/", signal)), { kind: "snapshot_missing" });
});
