import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { encodeJson } from "../base/canonical_json.ts";
import { type Bytes, utf8 } from "../base/bytes.ts";
import { systemRandom } from "../base/random.ts";
import { markerKey } from "../model/object_keys.ts";
import type { Keyring } from "../model/keyring.ts";
import { memoryStore } from "../storage/memory.ts";
import { storedSnapshot } from "../../tests/fixtures/memory_trees.ts";
import { RepositoryKeys } from "./keys.ts";
import { ObjectSealer } from "./object_sealer.ts";
import { readSnapshots, selectSnapshot, SnapshotCommit } from "./snapshots.ts";

const key = "ab".repeat(32);
const keyring: Keyring = {
  version: 1,
  master_generation: 1,
  roots: [{ epoch: 1, key, created: "0" }],
  id_root: key,
  chunker_keys: { data: key, plain: key },
  audit_key: key,
};
const sealer = new ObjectSealer(new RepositoryKeys("0123456789abcdef0123456789abcdef", keyring), systemRandom);

Deno.test("readSnapshots() counts what has a manifest and the marker of that manifest", async (t) => {
  const cases: { name: string; marker?: Bytes; found: [snapshots: number, damaged: number, unfinished: number] }[] = [
    { name: "no marker", found: [0, 0, 1] },
    { name: "a marker of another manifest", marker: encodeJson({ manifest: "00", version: 1 }), found: [0, 1, 0] },
    { name: "a marker of a later version", marker: encodeJson({ manifest: "00", version: 2 }), found: [0, 1, 0] },
    { name: "a marker that is not JSON", marker: utf8("{"), found: [0, 1, 0] },
    { name: "a marker that is null", marker: utf8("null"), found: [0, 1, 0] },
  ];
  for (const { name, marker, found } of cases) {
    await t.step(name, async () => {
      const store = memoryStore();
      const { id, snapshot } = storedSnapshot({});
      await new SnapshotCommit(store, sealer, id, snapshot).putManifest();
      if (marker !== undefined) await store.put(markerKey(id), await sealer.seal("marker", markerKey(id), marker));
      const { snapshots, damaged, unfinished } = await readSnapshots(store, sealer);
      deepStrictEqual([snapshots.length, damaged.length, unfinished.length], found);
    });
  }
});

Deno.test("readSnapshots() gives a repaired copy after what it is a copy of", async () => {
  for (const [id, copy] of [["0", "1"], ["1", "0"]].map((pair) => pair.map((digit) => digit.repeat(32)))) {
    const store = memoryStore();
    const { snapshot } = storedSnapshot({});
    for (
      const commit of [
        new SnapshotCommit(store, sealer, copy, { ...snapshot, original: id }),
        new SnapshotCommit(store, sealer, id, snapshot),
      ]
    ) {
      await commit.putManifest();
      await commit.putMarker();
    }
    deepStrictEqual((await readSnapshots(store, sealer)).snapshots.map((each) => each.id), [id, copy]);
  }
});

Deno.test("SnapshotCommit puts a snapshot that counts, and takes it back", async () => {
  const store = memoryStore();
  const { id, snapshot } = storedSnapshot({ tags: ["kept"] });
  const commit = new SnapshotCommit(store, sealer, id, snapshot);
  await commit.putManifest();
  await commit.putMarker();
  const [found] = (await readSnapshots(store, sealer)).snapshots;
  deepStrictEqual(found, { id, snapshot, hash: commit.hash });
  await commit.withdraw();
  strictEqual((await readSnapshots(store, sealer)).snapshots.length, 0);
});

Deno.test("selectSnapshot() takes unique prefixes and latest", async (t) => {
  const all = ["aa11", "aa22", "bb33"].map((start) => ({ ...storedSnapshot({}), id: start.padEnd(32, "0") }));
  const found: [string, string][] = [["latest", "bb33"], ["b", "bb33"], ["aa2", "aa22"]];
  for (const [name, start] of found) {
    await t.step(name, () => strictEqual(selectSnapshot(all, name).id.slice(0, 4), start));
  }
  const refused: [string, string][] = [["aa", "snapshot_ambiguous"], ["cc", "snapshot_missing"], [
    "",
    "snapshot_missing",
  ]];
  for (const [name, kind] of refused) {
    await t.step(`refuses ${JSON.stringify(name)}`, () => throws(() => selectSnapshot(all, name), { kind }));
  }
  await t.step("there is none", () => throws(() => selectSnapshot([], "latest"), { kind: "snapshot_missing" }));
});
