import { encodeJson } from "../../src/base/canonical_json.ts";
import { systemRandom } from "../../src/base/random.ts";
import { objectForm, type ObjectFormType } from "../../src/model/object_forms.ts";
import { PREFIX, sessionKey } from "../../src/model/object_keys.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { encodeCondemned } from "../../src/repository/condemned.ts";
import { addSlot } from "../../src/repository/key_slots.ts";
import { appendLedger } from "../../src/repository/ledger.ts";
import type { Repository } from "../../src/repository/repository.ts";
import { SnapshotCommit } from "../../src/repository/snapshots.ts";
import { type MemoryState, memoryStore } from "../../src/storage/memory.ts";
import { seededRandom } from "../fixtures/fixed.ts";
import { type Picture, pictureOfFolder } from "./pictures.ts";
import { changeSmallSource, noise, writeFiles, writeSmallSource } from "./source_folder.ts";
import { emptyRepository, lateClock, opened, save, SMALL_PACKS } from "./test_repository.ts";

const files = openFileSystem();
const ID = "0123456789abcdef0123456789abcdef";

export interface EveryKind {
  state: MemoryState;
  /** How the folder looked when each of the two snapshots was made. */
  pictures: Picture[];
  keysOf(...types: ObjectFormType[]): string[];
}

/** A repository with an object of every kind: two snapshots in several packs, and what clients leave behind. */
export async function everyKind(folder: string): Promise<EveryKind> {
  const store = memoryStore();
  store.restore(await emptyRepository(SMALL_PACKS));
  writeSmallSource(folder);
  for (let i = 0; i < 4; i++) writeFiles(folder, { [`big/${i}`]: noise(`big ${i}`, 40_000) });
  await save(await opened(store), folder);
  const pictures = [pictureOfFolder(files, folder)];
  changeSmallSource(folder);
  const repository = await opened(store);
  await save(repository, folder);
  pictures.push(pictureOfFolder(files, folder));
  await leaveBehind(repository);
  const state = store.snapshot();
  const keysOf = (...types: ObjectFormType[]) =>
    [...state.keys()].filter((key) => types.some((type) => objectForm(key)?.type === type)).sort();
  return { state, pictures, keysOf };
}

async function leaveBehind(repository: Repository): Promise<void> {
  const { store, sealer, opened: keys } = repository;
  const secret = { kind: "key_file" as const, bytes: seededRandom("another key file")(64) };
  await addSlot(store, keys, { secret, random: systemRandom, clock: lateClock });
  const put = async (type: "session" | "heartbeat" | "condemned", key: string, payload: Uint8Array<ArrayBuffer>) =>
    await store.put(key, await sealer.seal(type, key, payload));
  const started = lateClock.nowNs();
  const about = { client: "c", host: "h", user: "u", tool_version: "0", version: 1, started };
  await put("session", sessionKey(ID), encodeJson(about));
  await put("heartbeat", sessionKey(ID, 1), encodeJson({ at: started, version: 1 }));
  await put("condemned", PREFIX.condemned + ID, encodeCondemned(["f".repeat(64)]));
  const by = { client: "c", host: "h", user: "u" };
  await appendLedger(store, sealer, {
    version: 1,
    reason: "test",
    removed: [{ id: "f".repeat(32) }],
    by,
    time: started,
  });
  const { snapshots } = await repository.snapshots();
  await new SnapshotCommit(store, sealer, ID, { ...snapshots[0].snapshot, session: ID, original: snapshots[0].id })
    .putManifest();
}
