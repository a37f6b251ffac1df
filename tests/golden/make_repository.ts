/**
 * Made `repository/` and `repository.jsonl`: `deno run -A tests/golden/make_repository.ts <empty folder>`, on Linux.
 *
 * Those two are never made again. What a later version of the program writes belongs into another folder beside them; this
 * one stays as it is, so that it proves for ever that the first version can be read.
 */
import { createHash } from "node:crypto";
import { systemClock } from "../../src/base/clock.ts";
import { encodeJson } from "../../src/base/canonical_json.ts";
import { type Bytes, toHex } from "../../src/base/bytes.ts";
import type { AxiomEvent } from "../../src/base/events.ts";
import type { KdfParameters } from "../../src/model/kdf_parameters.ts";
import { PREFIX, sessionKey } from "../../src/model/object_keys.ts";
import { type ConfigSettings, DEFAULT_SETTINGS } from "../../src/model/repository_config.ts";
import { tagSnapshots } from "../../src/operations/tag.ts";
import type { FilePlan } from "../../src/operations/file_saver.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { encodeCondemned } from "../../src/repository/condemned.ts";
import { writeConfig } from "../../src/repository/config_store.ts";
import { rewriteIndex } from "../../src/repository/index_rewrite.ts";
import { addSlot } from "../../src/repository/key_slots.ts";
import { writeKeyring } from "../../src/repository/keyring_store.ts";
import { Repository } from "../../src/repository/repository.ts";
import { SnapshotCommit } from "../../src/repository/snapshots.ts";
import { leafEnds } from "../../src/repository/tree_writer.ts";
import { openLocalStore } from "../../src/storage/local.ts";
import type { ObjectStore } from "../../src/storage/object_store.ts";
import { inProcessPool } from "../faults/in_process_pool.ts";
import { lateClock, save, STYLE } from "../faults/test_repository.ts";
import { builtInStages } from "../../src/stages/registry.ts";
import { seededRandom } from "../fixtures/fixed.ts";
import { changeGoldenSource, withXattrs, writeGoldenSource } from "./golden_source.ts";
import { listSnapshot } from "./listing.ts";

const SOURCE = "/tmp/axiom-golden";
const PASSWORD = "the golden pa\u0308ssword";
const SECOND_PASSWORD = "the second password";
const PBKDF2: KdfParameters = { algorithm: "pbkdf2-hmac-sha256", iterations: 600_000 };
const DEAD_WRITER = "00112233445566778899aabbccddeeff";
const LEAF_NAMES = 300;
const IDENTITY = { client: "c0ffee00c0ffee00c0ffee00c0ffee00", host: "golden", user: "golden", tool_version: "0.1.0" };

const SETTINGS: ConfigSettings = {
  ...DEFAULT_SETTINGS,
  chunker: { ...DEFAULT_SETTINGS.chunker, min: 128, normal: 512, max: 4096 },
  fixed_blocks: { ...DEFAULT_SETTINGS.fixed_blocks, min: 4096, max: 65536 },
  pack_bytes: { min: 65536, max: 65536 },
  frame_bytes: { data: 65536, metadata: 65536 },
};

const random = seededRandom("golden repository");
const files = withXattrs(openFileSystem());
const onEvent = (event: AxiomEvent) => event.type === "progress" || console.log(event);
const context = { registry: builtInStages(), random, clock: lateClock, onEvent };
const keyFile = seededRandom("golden key file")(64);

function planOf(path: string): FilePlan {
  const ends = (text: string) => path.endsWith(text);
  if (ends("cbc.txt")) return { style: { ...STYLE, cipher: "aes-256-cbc-hmac-sha256-1" } };
  if (ends("ctr.txt")) return { style: { ...STYLE, cipher: "aes-256-ctr-hmac-sha256-1" } };
  if (ends("plain.txt")) return { style: { ...STYLE, kind: 2, cipher: "plain-hmac-sha256-1" } };
  if (ends("noise")) return { style: { ...STYLE, codec: "compression_none" } };
  if (ends(".db")) return { style: STYLE, chunkerRule: { algorithm: "fixed-1", block_bytes: 4096 } };
  return { style: STYLE };
}

async function backUp(store: ObjectStore, tags: string[]): Promise<void> {
  const repository = await Repository.open(store, { kind: "key_file", bytes: keyFile }, context);
  await save(repository, SOURCE, {
    files,
    pool: () => inProcessPool({ files }),
    identity: IDENTITY,
    tags,
    policy: {
      select: () => "save",
      namesToSave: (_path, _relative, names) => names,
      wantsAnew: () => false,
      unchanged: "as_it_is",
      recheck: () => false,
      plan: planOf,
    },
  });
}

/** A second slot of each kind, so that every KDF is there. */
async function addSlots(repository: Repository): Promise<void> {
  const { store, opened } = repository;
  const common = { random, clock: lateClock };
  const password = { kind: "password" as const, password: SECOND_PASSWORD };
  await addSlot(store, opened, { ...common, secret: password, kdf: PBKDF2, label: "second" });
  await addSlot(store, opened, { ...common, secret: { kind: "key_file", bytes: keyFile }, label: "key file" });
}

/** A second generation of config and keyring, the one with a member of a later version, the other with a second root. */
async function rotate(repository: Repository): Promise<void> {
  const { store, opened, keys } = repository;
  const keyring = keys.keyring();
  const root = { epoch: 2, key: toHex(random(32)), created: lateClock.nowNs() };
  const next = { ...keyring, roots: [...keyring.roots, root] };
  await writeKeyring(store, opened.master, repository.id, next, 2, random);
  await writeConfig(store, opened.master, { ...opened.config, a_later_member: { list: [1, "two", null] } }, 2);
}

/** An index object that supersedes what describes other packs than these: those are then known from their own tables alone. */
async function forgetIndexExcept(repository: Repository, packs: ReadonlySet<string>): Promise<void> {
  const { index, objects } = await repository.loadIndex();
  await rewriteIndex(repository, index, objects, packs);
}

/** What others leave in a repository: a dead writer with its manifest, a list of a pack that is gone, a torn object. */
async function leaveBehind(repository: Repository): Promise<void> {
  const { store, sealer } = repository;
  const put = async (type: "session" | "heartbeat" | "condemned", key: string, payload: Bytes) =>
    await store.put(key, await sealer.seal(type, key, payload));
  const now = lateClock.nowNs();
  await put("session", sessionKey(DEAD_WRITER), encodeJson({ ...IDENTITY, started: now, version: 1 }));
  await put("heartbeat", sessionKey(DEAD_WRITER, 1), encodeJson({ at: now, version: 1 }));
  await put("condemned", `${PREFIX.condemned}${DEAD_WRITER}`, encodeCondemned(["f".repeat(64)]));
  const { snapshots } = await repository.snapshots();
  const unfinished = { ...snapshots[0].snapshot, session: DEAD_WRITER };
  await new SnapshotCommit(store, sealer, DEAD_WRITER, unfinished).putManifest();
  await store.put(`${PREFIX.damaged}snapshots-${DEAD_WRITER}.0`, random(100));
}

async function keysOf(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys.sort();
}

/** What must come out of the repository, in lines of JSON: how to open it, then objects, snapshots and their entries. */
async function listing(repository: Repository): Promise<string> {
  const { store } = repository;
  const secrets = { password: PASSWORD, second_password: SECOND_PASSWORD, key_file: toHex(keyFile) };
  const lines: unknown[] = [{ repository_id: repository.id, source: SOURCE, ...secrets }];
  for (const key of await keysOf(store, "")) {
    lines.push({ object: key, sha256: createHash("sha256").update(await store.get(key, "all")).digest("hex") });
  }
  for (const stored of (await repository.snapshots()).snapshots) {
    const { time, tags } = stored.snapshot;
    lines.push({ snapshot: stored.id, time, tags });
    lines.push(...await listSnapshot(repository, stored, SOURCE));
  }
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

async function makeRepository(folder: string): Promise<void> {
  const store = await openLocalStore(folder, { make: true });
  const secret = { kind: "password" as const, password: PASSWORD };
  const created = { secret, settings: SETTINGS, label: "golden", slotLabel: "first" };
  const repository = await Repository.create(store, created, context);
  await addSlots(repository);
  const ends = leafEnds(repository.keys.treeSplitKey());
  const names = (head: string) => Array.from({ length: LEAF_NAMES }, (_, i) => `${head}${String(i).padStart(3, "0")}`);
  const leafNames = "abcdefghijklmnopqrstuvwxyz".split("").map(names).find((all) => all.slice(100, 280).some(ends))!;
  await Deno.mkdir(SOURCE);
  const tree = files.openTarget(SOURCE);
  writeGoldenSource(tree, leafNames);
  await backUp(store, ["first"]);
  await rotate(repository);
  const packs = new Set((await repository.loadIndex()).listed.keys());
  await systemClock.sleep(1100);
  changeGoldenSource(tree, leafNames);
  await backUp(store, []);
  const reopened = await Repository.open(store, secret, context);
  await forgetIndexExcept(reopened, packs);
  const { snapshots } = await reopened.snapshots();
  const tagging = { identity: IDENTITY, onEvent };
  await tagSnapshots(reopened, { snapshots: [snapshots[0]], add: ["golden"] }, tagging);
  await leaveBehind(reopened);
  await Deno.writeTextFile(`${folder}.jsonl`, await listing(reopened));
  await Deno.remove(SOURCE, { recursive: true });
}

if (import.meta.main) await makeRepository(Deno.args[0]);
