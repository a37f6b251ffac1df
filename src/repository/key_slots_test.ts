import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { crashingStore } from "../../tests/fixtures/crashing_store.ts";
import { seededRandom, steppingClock } from "../../tests/fixtures/fixed.ts";
import { isKind } from "../base/errors.ts";
import { DEFAULT_KDF } from "../model/kdf_parameters.ts";
import { slotKey } from "../model/key_slot.ts";
import { type MemoryStore, memoryStore } from "../storage/memory.ts";
import { createKeys } from "./create_keys.ts";
import { addSlot, changePassword, listSlots, removeSlot } from "./key_slots.ts";
import { type OpenKeys, openKeys } from "./open_keys.ts";
import type { Secret } from "./secret.ts";

const random = seededRandom("slots");
const clock = steppingClock();
const secrets = Array.from({ length: 4 }, (): Secret => ({ kind: "key_file", bytes: random(64) }));
const [FIRST, SECOND, THIRD] = secrets;
const usage = (why: RegExp) => (error: unknown) => isKind(error, "usage") && why.test(error.message);

async function repository(): Promise<{ store: MemoryStore; open: OpenKeys }> {
  const store = memoryStore();
  return { store, open: await createKeys(store, { secret: FIRST, slotLabel: "first", random, clock }) };
}

async function opens(store: MemoryStore, secret: Secret): Promise<boolean> {
  try {
    await openKeys(store, secret);
    return true;
  } catch (error) {
    ok(isKind(error, "password_wrong", "object_missing"), String(error));
    return false;
  }
}

Deno.test("addSlot() lets a second secret open the same repository", async () => {
  const { store, open } = await repository();
  const id = await addSlot(store, open, { secret: SECOND, label: "second", random, clock });
  const second = await openKeys(store, SECOND);
  strictEqual(second.slotId, id);
  deepStrictEqual(second.keys.keyring(), open.keys.keyring());
  ok(await opens(store, FIRST));
  const slots = await listSlots(store, second);
  deepStrictEqual(slots.map(({ label, current, kdf }) => [label, current, kdf?.algorithm]), [
    ["second", true, "hkdf-sha256"],
    ["first", false, "hkdf-sha256"],
  ]);
  ok(slots.every(({ created, problem }) => BigInt(created!) > 0n && problem === undefined));
});

Deno.test("addSlot() with PBKDF2 by choice", async () => {
  const { store, open } = await repository();
  const secret: Secret = { kind: "password", password: "Tür" };
  await addSlot(store, open, { secret, kdf: DEFAULT_KDF["pbkdf2-hmac-sha256"], random, clock });
  deepStrictEqual((await listSlots(store, await openKeys(store, secret)))[0].kdf, {
    algorithm: "pbkdf2-hmac-sha256",
    iterations: 600_000,
  });
});

Deno.test("addSlot() stops at 32 slots", async () => {
  const { store, open } = await repository();
  for (let i = 1; i < 32; i++) await addSlot(store, open, { secret: SECOND, random, clock });
  await rejects(addSlot(store, open, { secret: SECOND, random, clock }), usage(/32 already/));
  strictEqual((await listSlots(store, open)).length, 32);
});

Deno.test("listSlots() shows damaged and forged slots last, with the problem", async () => {
  const { store, open } = await repository();
  const foreign = await repository();
  const state = store.snapshot();
  const foreignKey = slotKey(foreign.open.slotId);
  state.set(slotKey("0".repeat(32)), new Uint8Array(0));
  state.set(foreignKey, foreign.store.snapshot().get(foreignKey)!);
  store.restore(state);
  const slots = await listSlots(store, open);
  deepStrictEqual(slots.map(({ current, problem }) => [current, problem === undefined]), [
    [true, true],
    [false, false],
    [false, false],
  ]);
  ok(slots.some(({ problem }) => /torn/.test(problem ?? "")));
  ok(
    slots.some(({ id, problem }) => id === foreign.open.slotId && /does not hold this repository's key/.test(problem!)),
  );
});

Deno.test("removeSlot() takes a slot away, but neither the current nor the last one that works", async () => {
  const { store, open } = await repository();
  const torn = "0".repeat(32);
  store.restore(store.snapshot().set(slotKey(torn), new Uint8Array(0)));
  await rejects(removeSlot(store, open, "f".repeat(32)), usage(/none of that id/));
  await rejects(removeSlot(store, open, open.slotId), usage(/is the one that opened/));
  await rejects(removeSlot(store, open, open.slotId, { evenCurrent: true }), usage(/last one that works/));
  const second = await addSlot(store, open, { secret: SECOND, random, clock });
  await removeSlot(store, open, torn);
  await removeSlot(store, open, second);
  ok(!await opens(store, SECOND) && await opens(store, FIRST));
  await addSlot(store, open, { secret: THIRD, random, clock });
  await removeSlot(store, open, open.slotId, { evenCurrent: true });
  ok(!await opens(store, FIRST) && await opens(store, THIRD));
});

Deno.test("removeSlot() puts back what it removed when another client removed all others meanwhile", async () => {
  const { store, open } = await repository();
  const second = await addSlot(store, open, { secret: SECOND, random, clock });
  const racing = {
    ...crashingStore(store, Infinity, "early"),
    async remove(key: string) {
      await store.remove(key);
      await store.remove(slotKey(open.slotId));
    },
  };
  await rejects(removeSlot(racing, open, second), usage(/put back/));
  ok(await opens(store, SECOND));
});

Deno.test("changePassword() replaces one slot and keeps its label", async () => {
  const { store, open } = await repository();
  await addSlot(store, open, { secret: SECOND, label: "second", random, clock });
  const id = await changePassword(store, open, { secret: THIRD, random, clock });
  deepStrictEqual([await opens(store, FIRST), await opens(store, SECOND), await opens(store, THIRD)], [
    false,
    true,
    true,
  ]);
  const third = await openKeys(store, THIRD);
  strictEqual(third.slotId, id);
  deepStrictEqual((await listSlots(store, third)).map(({ label }) => label), ["first", "second"]);
});

Deno.test("changePassword() of another slot, and of one that is not there", async () => {
  const { store, open } = await repository();
  const slotId = await addSlot(store, open, { secret: SECOND, label: "second", random, clock });
  await changePassword(store, open, { secret: THIRD, slotId, random, clock });
  deepStrictEqual([await opens(store, FIRST), await opens(store, SECOND), await opens(store, THIRD)], [
    true,
    false,
    true,
  ]);
  const before = store.snapshot();
  await rejects(changePassword(store, open, { secret: THIRD, slotId, random, clock }), usage(/none of that id/));
  await rejects(changePassword(store, open, { secret: { kind: "password", password: "" }, random, clock }), (error) => {
    return isKind(error, "password_missing");
  });
  deepStrictEqual(store.snapshot(), before);
});

Deno.test("changePassword() killed at every storage call leaves the old or the new password, or both (1)", async () => {
  const { store, open } = await repository();
  const before = store.snapshot();
  const whole = crashingStore(store, Infinity, "early");
  await changePassword(whole, open, { secret: SECOND, random, clock });
  ok(whole.calls >= 6, `${whole.calls} calls`);
  const seen = new Set<string>();
  for (let at = 0; at < whole.calls; at++) {
    for (const mode of ["early", "late", "failing"] as const) {
      store.restore(before);
      let failed = false;
      try {
        await changePassword(crashingStore(store, at, mode), open, { secret: SECOND, random, clock });
      } catch {
        failed = true;
      }
      const [old, fresh] = [await opens(store, FIRST), await opens(store, SECOND)];
      ok(old || fresh, `locked out by call ${at}, ${mode}`);
      ok(failed || fresh, `call ${at}, ${mode}: a success that was none`);
      seen.add(`${old} ${fresh}`);
    }
  }
  deepStrictEqual([...seen].sort(), ["false true", "true false", "true true"]);
});

Deno.test("changePassword() keeps the old slot when the store gives back another new one", async () => {
  const { store, open } = await repository();
  const before = store.snapshot();
  const lying = {
    ...crashingStore(store, Infinity, "early"),
    async get(key: string, range: "all" | { offset: number; length: number }) {
      const data = await store.get(key, range);
      if (!before.has(key)) data[100] ^= 1;
      return data;
    },
  };
  await rejects(changePassword(lying, open, { secret: SECOND, random, clock }), (error) => {
    ok(isKind(error, "data_damaged"));
    match(error.message, /reads back as something else/);
    return true;
  });
  deepStrictEqual(store.snapshot(), before);
});
