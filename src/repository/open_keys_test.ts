import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { crashingStore } from "../../tests/fixtures/crashing_store.ts";
import { errorOf, objectOf, plant } from "../../tests/fixtures/tampering.ts";
import { seededRandom, steppingClock } from "../../tests/fixtures/fixed.ts";
import { type Bytes, fromUtf8, utf8 } from "../base/bytes.ts";
import { type ErrorKind, isKind } from "../base/errors.ts";
import { DEFAULT_KDF } from "../model/kdf_parameters.ts";
import { slotKey } from "../model/key_slot.ts";
import { coveredBytes, encodeTextObject } from "../model/text_object.ts";
import { type MemoryStore, memoryStore } from "../storage/memory.ts";
import { writeConfig } from "./config_store.ts";
import { createKeys } from "./create_keys.ts";
import { sha256 } from "./hkdf.ts";
import { writeKeyring } from "./keyring_store.ts";
import { type OpenKeys, openKeys } from "./open_keys.ts";
import type { Secret } from "./secret.ts";
import { putSlot } from "./slot_writer.ts";

const random = seededRandom("open");
const clock = steppingClock();
const SECRET: Secret = { kind: "key_file", bytes: random(64) };
const OTHER: Secret = { kind: "key_file", bytes: random(64) };
const CONFIG_1 = "config/0000000001", KEYRING_1 = "keyring/0000000001";

async function repository(): Promise<{ store: MemoryStore; made: OpenKeys }> {
  const store = memoryStore({ location: "/repo" });
  return { store, made: await createKeys(store, { secret: SECRET, label: "home", random, clock }) };
}

Deno.test("openKeys() gives what createKeys() made", async () => {
  const { store, made } = await repository();
  deepStrictEqual([...store.snapshot().keys()].map((key) => key.split("/")[0]), ["keyring", "keys", "config"]);
  const open = await openKeys(store, SECRET);
  deepStrictEqual(open.keys.keyring(), made.keys.keyring());
  deepStrictEqual(open.master, made.master);
  deepStrictEqual(open.config, made.config);
  deepStrictEqual(open.access, {});
  deepStrictEqual([open.slotId, open.configGeneration, open.keyringGeneration], [made.slotId, 1, 1]);
  deepStrictEqual(open.warnings, []);
  strictEqual(open.config.label, "home");
});

Deno.test("openKeys() tells what is missing or damaged (25)", async (t) => {
  type Case = { name: string; change(store: MemoryStore, made: OpenKeys): void; kind: ErrorKind; why: RegExp };
  const flip = (key: string) => (store: MemoryStore) => {
    const data = objectOf(store, key).slice();
    data[20] ^= 1;
    plant(store, key, data);
  };
  const cases: Case[] = [
    { name: "an empty store", change: (s) => s.restore(new Map()), kind: "repository_missing", why: /there is none/ },
    { name: "no config", change: (s) => plant(s, CONFIG_1, undefined), kind: "repository_missing", why: /none/ },
    {
      name: "no config, and packs",
      change: (s) => {
        plant(s, CONFIG_1, undefined);
        plant(s, `packs/ab/${"ab".repeat(32)}`, new Uint8Array(1));
      },
      kind: "object_missing",
      why: /its config is gone, though it holds packs\/ab/,
    },
    { name: "a torn config", change: (s) => plant(s, CONFIG_1, new Uint8Array(0)), kind: "data_damaged", why: /torn/ },
    {
      name: "a huge config",
      change: (s) => plant(s, CONFIG_1, new Uint8Array(65537)),
      kind: "data_damaged",
      why: /65537/,
    },
    { name: "a flipped bit in the config", change: flip(CONFIG_1), kind: "data_damaged", why: /config/ },
    { name: "no keyring", change: (s) => plant(s, KEYRING_1, undefined), kind: "data_damaged", why: /no keyring/ },
    {
      name: "a torn keyring",
      change: (s) => plant(s, KEYRING_1, new Uint8Array(9)),
      kind: "data_damaged",
      why: /9 bytes/,
    },
    { name: "a flipped bit in the keyring", change: flip(KEYRING_1), kind: "data_damaged", why: /changed/ },
    {
      name: "no key slot",
      change: (s, made) => plant(s, slotKey(made.slotId), undefined),
      kind: "object_missing",
      why: /no key slot/,
    },
    {
      name: "a torn key slot",
      change: (s, made) => plant(s, slotKey(made.slotId), new Uint8Array(0)),
      kind: "data_damaged",
      why: /its only key slot cannot be used .*keys\/[0-9a-f]{32}: it is torn/,
    },
    {
      name: "a hostile key slot",
      change: (s, made) => plant(s, slotKey(made.slotId), costly(objectOf(s, slotKey(made.slotId)), made.slotId)),
      kind: "limit_exceeded",
      why: /iterations/,
    },
    {
      name: "the slot of another repository",
      change: (s) => plant(s, CONFIG_1, foreignConfig),
      kind: "data_damaged",
      why: /belongs to the repository/,
    },
    {
      name: "a config that was changed",
      change: (s) => plant(s, CONFIG_1, utf8(fromUtf8(objectOf(s, CONFIG_1)).replace('"home"', '"hole"'))),
      kind: "data_damaged",
      why: /the key file is right, but what it opens is damaged .*no config/,
    },
  ];
  const foreign = await repository();
  const foreignConfig = objectOf(foreign.store, CONFIG_1);
  for (const { name, change, kind, why } of cases) {
    await t.step(name, async () => {
      const { store, made } = await repository();
      change(store, made);
      const error = await errorOf(openKeys(store, SECRET));
      strictEqual(error.kind, kind, error.message);
      match(error.message, why);
      ok(error.hint !== undefined);
    });
  }
});

/** The same slot with a KDF that would run for hours, under a check sum that is right. */
function costly(stored: Bytes, id: string): Bytes {
  const kdf = '{"algorithm":"pbkdf2-hmac-sha256","iterations":9007199254740991}';
  const json = utf8(fromUtf8(stored.slice(0, stored.indexOf(0x0a))).replace(/\{"algorithm"[^}]*\}/, kdf));
  return encodeTextObject(json, sha256(coveredBytes(slotKey(id), json)));
}

Deno.test("openKeys() goes on past slots that are torn, huge, hostile or foreign, and says so (25, 40)", async () => {
  const { store, made } = await repository();
  const foreign = await repository();
  const id = (digit: string) => digit.repeat(32);
  plant(store, slotKey(id("0")), new Uint8Array(0));
  plant(store, slotKey(id("1")), new Uint8Array(20_000));
  plant(store, slotKey(id("2")), objectOf(store, slotKey(made.slotId)));
  plant(store, slotKey(id("3")), costly(objectOf(store, slotKey(made.slotId)), id("3")));
  plant(store, slotKey(foreign.made.slotId), objectOf(foreign.store, slotKey(foreign.made.slotId)));
  plant(store, "keys/readme.txt", utf8("not a slot"));
  const { slotId, warnings } = await openKeys(store, SECRET);
  strictEqual(slotId, made.slotId);
  strictEqual(warnings.length, 5);
  for (const [i, why] of [/torn/, /20000/, /check sum/, /iterations/].entries()) {
    ok(warnings.some((warning) => warning.includes(id(String(i))) && why.test(warning)), String(why));
  }
  ok(warnings.some((warning) => warning.includes(foreign.made.config.repository_id)));
});

Deno.test("openKeys() reports a wrong secret with the number of slots that it tried", async () => {
  const { store } = await repository();
  const error = await errorOf(openKeys(store, OTHER));
  strictEqual(error.kind, "password_wrong");
  match(error.message, /\/repo: the key file does not fit the 1 key slot that was tried/);
  match(error.hint!, /axiom key list/);
  plant(store, slotKey("0".repeat(32)), new Uint8Array(9));
  match((await errorOf(openKeys(store, OTHER))).hint!, /a slot that cannot be used, put that file of keys\/ back/);
  const password = await errorOf(openKeys(store, { kind: "password", password: "x" }));
  strictEqual(password.kind, "password_wrong");
  match(password.message, /none of its 1 usable key slots takes a password/);
  strictEqual((await errorOf(openKeys(store, { kind: "password", password: "" }))).kind, "password_wrong");
});

Deno.test("openKeys() takes the newest config and keyring that verify", async () => {
  const { store, made } = await repository();
  await writeConfig(store, made.master, { ...made.config, label: "second", later: 1 }, 2);
  const keyring = made.keys.keyring();
  const roots = [...keyring.roots, { epoch: 2, key: "7".repeat(64), created: "1" }];
  await writeKeyring(store, made.master, made.config.repository_id, { ...keyring, roots }, 2, random);
  const open = await openKeys(store, SECRET);
  deepStrictEqual([open.config.label, open.config.later, open.configGeneration], ["second", 1, 2]);
  deepStrictEqual([open.keys.epoch, open.keyringGeneration], [2, 2]);
  // Copies of older generations under newer names are no newer generations (27).
  plant(store, "config/0000000003", objectOf(store, CONFIG_1));
  plant(store, "keyring/0000000003", objectOf(store, KEYRING_1));
  plant(store, "config/0000000004", new Uint8Array(0));
  const again = await openKeys(store, SECRET);
  deepStrictEqual([again.configGeneration, again.keyringGeneration], [2, 2]);
  strictEqual(again.warnings.length, 3, again.warnings.join("\n"));
});

Deno.test("writeConfig() never overwrites a generation", async () => {
  const { store, made } = await repository();
  const error = await errorOf(writeConfig(store, made.master, { ...made.config, label: "other" }, 1));
  strictEqual(error.kind, "object_exists");
});

Deno.test("openKeys() refuses every flipped bit of config and keyring (43)", async (t) => {
  const { store, made } = await repository();
  for (const key of [CONFIG_1, KEYRING_1]) {
    await t.step(key, async () => {
      const good = objectOf(store, key);
      // The envelope's own test flips every bit of 4 KiB.
      const bits = key === KEYRING_1 ? 8 * 80 : 8 * good.length;
      for (let bit = 0; bit < bits; bit++) {
        const copy = good.slice();
        copy[bit >> 3] ^= 1 << (bit & 7);
        plant(store, key, copy);
        await rejects(openKeys(store, SECRET), (error) => {
          return isKind(error, "data_damaged", "repository_unsupported");
        }, `bit ${bit}`);
      }
      plant(store, key, good);
      strictEqual((await openKeys(store, SECRET)).slotId, made.slotId);
    });
  }
});

Deno.test("openKeys() refuses or restricts what later versions need (41)", async (t) => {
  const features = (sets: object) => ({ read: [], write: [], delete: [], ...sets });
  await t.step("a feature needed for reading", async () => {
    const { store, made } = await repository();
    await writeConfig(store, made.master, { ...made.config, features: features({ read: ["parity"] }) }, 2);
    const error = await errorOf(openKeys(store, SECRET));
    strictEqual(error.kind, "repository_unsupported");
    match(error.message, /\/repo: it uses the feature parity/);
    match(error.hint!, /Update/);
    await openKeys(store, SECRET, { known: features({ read: ["parity"] }) });
  });
  await t.step("a feature needed for writing", async () => {
    const { store, made } = await repository();
    await writeConfig(store, made.master, { ...made.config, features: features({ write: ["parity"] }) }, 2);
    const { access } = await openKeys(store, SECRET);
    deepStrictEqual(Object.keys(access), ["write", "delete"]);
  });
  await t.step("a newer format, before any key is computed", async () => {
    const { store } = await repository();
    plant(store, "config/0000000002", encodeTextObject(utf8('{"format_version":2}'), new Uint8Array(32)));
    const error = await errorOf(openKeys(store, { kind: "password", password: "any" }));
    strictEqual(error.kind, "repository_unsupported");
    match(error.message, /version 2/);
  });
});

Deno.test("openKeys() tries the hinted slot first, then the newest, and 32 at most", async () => {
  const { store, made } = await repository();
  const state = store.snapshot();
  for (let i = 0; i < 40; i++) {
    const other = memoryStore();
    other.restore(state);
    const repositoryId = made.config.repository_id;
    const request = { repositoryId, master: made.master, secret: OTHER, kdf: DEFAULT_KDF["hkdf-sha256"], label: "" };
    const id = await putSlot(other, { ...request, created: `${3_000_000_000_000_000_000n + BigInt(i)}` }, random);
    plant(store, slotKey(id), objectOf(other, slotKey(id)));
  }
  const error = await errorOf(openKeys(store, SECRET));
  match(error.message, /does not fit any of the 32 key slots that were tried/);
  match(error.message, new RegExp(`${made.slotId}: 32 others are tried before it`));
  strictEqual((await openKeys(store, SECRET, { slotHint: made.slotId })).slotId, made.slotId);
});

Deno.test("openKeys() survives a store that fails for one slot, and reports the failure if it was the only one", async () => {
  const { store } = await repository();
  let slotGet = -1;
  const counting = crashingStore(store, Infinity, "early");
  await openKeys({
    ...counting,
    get: (key, range) => {
      if (key.startsWith("keys/")) slotGet = counting.calls;
      return counting.get(key, range);
    },
  }, SECRET);
  const error = await errorOf(openKeys(crashingStore(store, slotGet, "failing"), SECRET));
  strictEqual(error.kind, "storage_failed");
});
