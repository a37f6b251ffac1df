import { deepStrictEqual, match, notStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { crashingStore } from "../../tests/fixtures/crashing_store.ts";
import { errorOf, objectOf, plant } from "../../tests/fixtures/tampering.ts";
import { seededRandom, steppingClock } from "../../tests/fixtures/fixed.ts";
import { type Bytes, fromUtf8, utf8 } from "../base/bytes.ts";
import type { ErrorKind } from "../base/errors.ts";
import { DEFAULT_KDF } from "../model/kdf_parameters.ts";
import { slotKey } from "../model/key_slot.ts";
import { encodeTextObject } from "../model/text_object.ts";
import { type MemoryStore, memoryStore } from "../storage/memory.ts";
import { createKeys } from "./create_keys.ts";
import { type OpenKeys, openKeys } from "./open_keys.ts";
import type { Secret } from "./secret.ts";

const random = seededRandom("create");
const clock = steppingClock();
const SECRET: Secret = { kind: "key_file", bytes: random(64) };
const OTHER: Secret = { kind: "key_file", bytes: random(64) };
const CONFIG_1 = "config/0000000001";

async function repository(): Promise<{ store: MemoryStore; made: OpenKeys }> {
  const store = memoryStore({ location: "/repo" });
  return { store, made: await createKeys(store, { secret: SECRET, label: "home", random, clock }) };
}

Deno.test("createKeys() with Argon2id, the default, opens with the password only", async () => {
  const store = memoryStore();
  const password = (text: string): Secret => ({ kind: "password", password: text });
  await createKeys(store, { secret: password("Za\u0308une"), random, clock });
  const { slotId } = await openKeys(store, password("Z\u00e4une"));
  match(fromUtf8(objectOf(store, slotKey(slotId))), /"algorithm":"argon2id","lanes":1,"memory_kib":65536,"passes":3/);
  const error = await errorOf(openKeys(store, password("Zaune")));
  strictEqual(error.exitCode, 12);
  match(error.message, /the password does not fit the 1 key slot that was tried/);
});

Deno.test("createKeys() makes each repository unlike any other", async () => {
  const a = (await repository()).made, b = (await repository()).made;
  notStrictEqual(a.config.repository_id, b.config.repository_id);
  const left = a.keys.keyring(), right = b.keys.keyring();
  notStrictEqual(left.roots[0].key, right.roots[0].key);
  const secrets = [left.roots[0].key, left.id_root, left.chunker_keys.data, left.chunker_keys.plain, left.audit_key];
  strictEqual(new Set(secrets).size, 5);
});

Deno.test("createKeys() refuses where there is a repository, even a damaged or newer one", async (t) => {
  const cases: [string, Bytes | undefined][] = [
    ["whole", undefined],
    ["torn", new Uint8Array(0)],
    ["newer", encodeTextObject(utf8('{"format_version":2}'), new Uint8Array(32))],
  ];
  for (const [name, config] of cases) {
    await t.step(name, async () => {
      const { store } = await repository();
      if (config !== undefined) plant(store, CONFIG_1, config);
      const before = store.snapshot();
      strictEqual((await errorOf(createKeys(store, { secret: SECRET, random, clock }))).kind, "repository_exists");
      deepStrictEqual(store.snapshot(), before);
    });
  }
});

Deno.test("createKeys() refuses bad requests before it writes anything", async (t) => {
  const password: Secret = { kind: "password", password: "x" };
  const weak = { ...DEFAULT_KDF.argon2id, memory_kib: 1024 };
  const cases: { name: string; options: Partial<Parameters<typeof createKeys>[1]>; kind: ErrorKind }[] = [
    { name: "an empty password", options: { secret: { kind: "password", password: "" } }, kind: "password_missing" },
    { name: "a short key file", options: { secret: { kind: "key_file", bytes: random(31) } }, kind: "usage" },
    { name: "a weak KDF", options: { secret: password, kdf: weak }, kind: "usage" },
    {
      name: "a KDF that nobody would read",
      options: { secret: password, kdf: { ...weak, memory_kib: 2 ** 21 } },
      kind: "usage",
    },
    { name: "a password without a KDF", options: { secret: password, kdf: DEFAULT_KDF["hkdf-sha256"] }, kind: "usage" },
    { name: "a key file with one", options: { kdf: DEFAULT_KDF.argon2id }, kind: "usage" },
    { name: "a label of two lines", options: { label: "a\nb" }, kind: "usage" },
    { name: "a slot label of two lines", options: { slotLabel: "a\nb" }, kind: "usage" },
  ];
  for (const { name, options, kind } of cases) {
    await t.step(name, async () => {
      const store = memoryStore();
      strictEqual((await errorOf(createKeys(store, { secret: SECRET, random, clock, ...options }))).kind, kind);
      strictEqual(store.snapshot().size, 0);
    });
  }
});

Deno.test("createKeys() killed at every storage call leaves a repository or none (1)", async () => {
  const calls = crashingStore(memoryStore(), Infinity, "early");
  await createKeys(calls, { secret: SECRET, random, clock });
  ok(calls.calls >= 7);
  for (let at = 0; at < calls.calls; at++) {
    for (const mode of ["early", "late", "failing"] as const) {
      const store = memoryStore();
      await rejects(createKeys(crashingStore(store, at, mode), { secret: SECRET, random, clock }));
      if ([...store.snapshot().keys()].some((key) => key.startsWith("config/"))) await openKeys(store, SECRET);
      else {
        strictEqual((await errorOf(openKeys(store, SECRET))).kind, "repository_missing");
        await createKeys(store, { secret: OTHER, random, clock });
        const { warnings } = await openKeys(store, OTHER);
        ok(warnings.every((warning) => warning.startsWith("Skipped ")));
      }
    }
  }
});

Deno.test("createKeys() by two at once makes one repository", async () => {
  const store = memoryStore();
  const tries = [SECRET, OTHER].map((secret) => createKeys(store, { secret, random, clock }));
  const results = await Promise.allSettled(tries);
  deepStrictEqual(results.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  const winner = results.findIndex(({ status }) => status === "fulfilled");
  await openKeys(store, [SECRET, OTHER][winner]);
  strictEqual((await errorOf(tries[1 - winner])).kind, "repository_exists");
});

Deno.test("createKeys() does not trust a store that gives back other bytes", async (t) => {
  for (const prefix of ["keyring/", "keys/", "config/"]) {
    await t.step(prefix, async () => {
      const store = memoryStore();
      const lying = {
        ...crashingStore(store, Infinity, "early"),
        async get(key: string, range: "all" | { offset: number; length: number }) {
          const data = await store.get(key, range);
          if (key.startsWith(prefix)) data[100] ^= 1;
          return data;
        },
      };
      strictEqual((await errorOf(createKeys(lying, { secret: SECRET, random, clock }))).kind, "data_damaged");
    });
  }
});
