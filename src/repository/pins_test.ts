import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import type { Bytes } from "../base/bytes.ts";
import { utf8 } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import type { AxiomEvent } from "../base/events.ts";
import { markerKey, snapshotKey } from "../model/object_keys.ts";
import type { StateFiles } from "../platform/state_files.ts";
import { type MemoryStore, memoryStore } from "../storage/memory.ts";
import { IDENTITY, opened, SECRET, testContext } from "../../tests/faults/test_repository.ts";
import { plant } from "../../tests/fixtures/tampering.ts";
import { appendLedger } from "./ledger.ts";
import { decodePins, pathsKey, PinStore } from "./pins.ts";
import { Repository } from "./repository.ts";

interface MemoryFiles extends StateFiles {
  readonly files: Map<string, Bytes>;
  writes: number;
}

function memoryFiles(fails = false): MemoryFiles {
  const files = new Map<string, Bytes>();
  const refuse = () => Promise.reject(new Error("Read-only file system (os error 30)"));
  const memory: MemoryFiles = {
    folder: "/state",
    files,
    writes: 0,
    read: (name) => Promise.resolve(files.get(name)),
    write(name, data) {
      if (fails) return refuse();
      memory.writes++;
      files.set(name, data);
      return Promise.resolve();
    },
    remove: (name) => Promise.resolve(void files.delete(name)),
  };
  return memory;
}

const HEAD = "1".repeat(32), OTHER = "2".repeat(32);

async function newRepository(): Promise<{ store: MemoryStore; repository: Repository }> {
  const store = memoryStore({ location: "/repo" });
  return { store, repository: await Repository.create(store, { secret: SECRET }, testContext()) };
}

async function pinned(paths = ["/home"]) {
  const { store, repository } = await newRepository();
  const files = memoryFiles();
  const events: AxiomEvent[] = [];
  const pins = new PinStore(files, (event) => events.push(event));
  await pins.check(repository);
  for (const key of [snapshotKey(HEAD), markerKey(HEAD)]) plant(store, key, utf8("x"));
  await pins.pinHead(repository, HEAD, paths);
  return { store, repository, files, pins, events };
}

function forget(repository: Repository, id: string, replaced_by?: string): Promise<number> {
  const { client, host, user } = IDENTITY;
  const removed = [{ id, ...(replaced_by === undefined ? {} : { replaced_by }) }];
  const record = { version: 1 as const, reason: "forget", removed, by: { client, host, user }, time: "1" };
  return appendLedger(repository.store, repository.sealer, record);
}

function isChanged(pattern: RegExp, hint = /--accept-repository/) {
  return (error: unknown) => {
    ok(error instanceof AxiomError);
    deepEqual([error.kind, error.exitCode], ["repository_changed", 13]);
    match(error.message, pattern);
    match(error.hint ?? "", hint);
    return true;
  };
}

Deno.test("a repository is remembered, and nothing is written while it stays the same", async () => {
  const { repository, files, pins, events } = await pinned();
  const writes = files.writes;
  await pins.check(repository);
  await pins.check(await opened(repository.store));
  deepEqual([files.writes, events], [writes, []]);
  const seen = decodePins([...files.files.values()][0])!;
  deepEqual([seen.repository_id, seen.location, seen.config_generation], [repository.id, "/repo", 1]);
  deepEqual(seen.heads, [{ key: pathsKey(["/home"]), id: HEAD }]);
});

Deno.test("(28) another repository at the same place is told", async () => {
  const { pins } = await pinned();
  const { repository } = await newRepository();
  await rejects(pins.check(repository), isChanged(/it has the id [0-9a-f]{32}, and the one that was here before/));
  await pins.forget("/repo");
  await pins.check(repository);
});

Deno.test("(28) generations that go back are told", async (t) => {
  for (const what of ["config", "keyring"] as const) {
    await t.step(what, async () => {
      const { files, repository, pins } = await pinned();
      const [[name, data]] = files.files;
      const later = new TextDecoder().decode(data).replace(`"${what}_generation":1`, `"${what}_generation":2`);
      files.files.set(name, utf8(later));
      await rejects(pins.check(repository), isChanged(new RegExp(`its ${what} is of generation 1, and generation 2`)));
    });
  }
});

Deno.test("(28) a hidden snapshot is told, unless the ledger says who took it away", async (t) => {
  await t.step("hidden", async () => {
    const { store, repository, pins } = await pinned();
    await store.remove(markerKey(HEAD));
    await store.remove(snapshotKey(HEAD));
    await rejects(pins.check(repository), isChanged(/the snapshot 1{32} is gone/));
  });
  await t.step("without its marker", async () => {
    const { store, repository, pins } = await pinned();
    await store.remove(markerKey(HEAD));
    await rejects(
      pins.check(repository),
      isChanged(/the commit marker of the snapshot 1{32} is gone/, /repair snapshots/),
    );
  });
  await t.step("forgotten", async () => {
    const { store, repository, files, pins } = await pinned();
    await store.remove(markerKey(HEAD));
    await forget(repository, HEAD);
    await pins.check(repository);
    deepEqual(decodePins([...files.files.values()][0])!.heads, []);
  });
  await t.step("replaced", async () => {
    const { store, repository, files, pins } = await pinned();
    await store.remove(markerKey(HEAD));
    plant(store, markerKey(OTHER), utf8("x"));
    await forget(repository, HEAD, OTHER);
    await pins.check(repository);
    deepEqual(decodePins([...files.files.values()][0])!.heads, [{ key: pathsKey(["/home"]), id: OTHER }]);
    await store.remove(markerKey(OTHER));
    await rejects(pins.check(repository), isChanged(/the snapshot 2{32} is gone/));
  });
  await t.step("replaced by what is gone too", async () => {
    const { store, repository, pins } = await pinned();
    await store.remove(markerKey(HEAD));
    await forget(repository, HEAD, OTHER);
    await rejects(pins.check(repository), isChanged(/the snapshot 2{32} is gone/));
  });
});

Deno.test("a list of paths has one head, the last", async () => {
  const { repository, files, pins } = await pinned();
  await pins.pinHead(repository, OTHER, ["/home"]);
  await pins.pinHead(repository, HEAD, ["/home", "/etc"]);
  const { heads } = decodePins([...files.files.values()][0])!;
  deepEqual(heads.map(({ id }) => id), [OTHER, HEAD]);
});

Deno.test("a memory that cannot be kept or read is a warning", async (t) => {
  const { repository } = await newRepository();
  await t.step("written", async () => {
    const events: AxiomEvent[] = [];
    await new PinStore(memoryFiles(true), (event) => events.push(event)).check(repository);
    deepEqual(events.map((event) => event.type === "warning" && event.code), ["pins"]);
  });
  for (const text of ["", "{", '{"version":2}', '{"version":1,"heads":[{}]}']) {
    await t.step(`read: ${text}`, async () => {
      const events: AxiomEvent[] = [];
      const files = memoryFiles();
      const pins = new PinStore(files, (event) => events.push(event));
      await pins.check(repository);
      files.files.set([...files.files.keys()][0], utf8(text));
      await pins.check(repository);
      equal(events.length, 1);
      ok(decodePins([...files.files.values()][0]) !== undefined);
    });
  }
});
