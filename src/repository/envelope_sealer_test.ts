import { deepStrictEqual, notDeepStrictEqual, ok, rejects } from "node:assert/strict";
import fc from "fast-check";
import { seededRandom } from "../../tests/fixtures/fixed.ts";
import { type Bytes, utf8 } from "../base/bytes.ts";
import { AxiomError, isKind } from "../base/errors.ts";
import type { SealedType } from "../model/envelope.ts";
import type { Keyring } from "../model/keyring.ts";
import { openObject, sealObject } from "./envelope_sealer.ts";
import { RepositoryKeys } from "./keys.ts";

const ID = "00112233445566778899aabbccddeeff";
const hex = (byte: string) => byte.repeat(32);
const KEYRING: Keyring = {
  version: 1,
  master_generation: 1,
  roots: [{ epoch: 1, key: hex("01"), created: "0" }, { epoch: 2, key: hex("02"), created: "0" }],
  id_root: hex("03"),
  chunker_keys: { data: hex("04"), plain: hex("05") },
  audit_key: hex("06"),
};
const KEYS = new RepositoryKeys(ID, KEYRING);
const PAYLOAD = utf8("a manifest");
const random = seededRandom("envelope");
const seal = (keys = KEYS) => sealObject(keys, "snapshot", "snapshots/a", PAYLOAD, random);

async function opens(stored: Bytes, key = "snapshots/a", type: SealedType = "snapshot", keys = KEYS): Promise<boolean> {
  try {
    await openObject(keys, type, key, stored);
    return true;
  } catch (error) {
    ok(error instanceof AxiomError && error.kind === "data_damaged", String(error));
    return false;
  }
}

Deno.test("openObject() returns what sealObject() sealed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 10_000 }), async (payload) => {
      const stored = await sealObject(KEYS, "index", "index/a", payload as Bytes, random);
      deepStrictEqual(await openObject(KEYS, "index", "index/a", stored), payload);
    }),
    { numRuns: 50 },
  );
});

Deno.test("sealObject() uses the newest epoch, and older ones stay readable", async () => {
  const old = await seal(new RepositoryKeys(ID, { ...KEYRING, roots: KEYRING.roots.slice(0, 1) }));
  deepStrictEqual([old[6], (await seal())[6]], [1, 2]);
  deepStrictEqual(await openObject(KEYS, "snapshot", "snapshots/a", old), PAYLOAD);
});

Deno.test("sealObject() never makes the same object twice", async () => {
  notDeepStrictEqual((await seal()).subarray(10), (await seal()).subarray(10));
});

Deno.test("openObject() refuses every flipped bit (43)", async () => {
  const stored = await seal();
  const at = (bit: number) => {
    const copy = stored.slice();
    copy[bit >> 3] ^= 1 << (bit & 7);
    return copy;
  };
  for (let bit = 0; bit < 8 * stored.length; bit += 256) {
    const batch = await Promise.all(Array.from({ length: 256 }, (_, i) => opens(at(bit + i))));
    ok(!batch.includes(true), `a flipped bit from ${bit} on was accepted`);
  }
});

Deno.test("openObject() refuses objects that are out of place (26, 27)", async (t) => {
  const stored = await seal();
  const others = new RepositoryKeys("ff".repeat(16), KEYRING);
  const index = await sealObject(KEYS, "index", "snapshots/a", PAYLOAD, random);
  const cases: [string, Promise<boolean>, boolean][] = [
    ["in its place", opens(stored), true],
    ["copied to another name", opens(stored, "snapshots/b"), false],
    ["a manifest as its commit marker", opens(stored, "snapshots/a.ok", "marker"), false],
    ["another type under the same name", opens(index), false],
    ["from a repository that shares its roots", opens(await seal(others)), false],
    ["torn", opens(stored.slice(0, 4095)), false],
    ["empty", opens(new Uint8Array(0)), false],
    ["prolonged to another padded length", opens(new Uint8Array([...stored, ...new Uint8Array(256)])), false],
  ];
  for (const [name, opened, expected] of cases) {
    await t.step(name, async () => deepStrictEqual(await opened, expected));
  }
});

Deno.test("openObject() refuses a type whose number was changed along with the name that is asked for", async () => {
  const stored = await seal();
  stored[4] = 3;
  ok(!await opens(stored, "snapshots/a", "index"));
});

Deno.test("openObject() tells that an epoch is not known", async () => {
  const stored = await seal();
  const older = new RepositoryKeys(ID, { ...KEYRING, roots: KEYRING.roots.slice(0, 1) });
  await rejects(openObject(older, "snapshot", "snapshots/a", stored), (error) => {
    return isKind(error, "data_damaged") && /snapshots\/a: the key of epoch 2 is not known/.test(error.message);
  });
});

Deno.test("sealObject() reports a machine that computes wrongly (20)", async () => {
  let calls = 0;
  const keys = new RepositoryKeys(ID, KEYRING);
  keys.objectKey = () => new Uint8Array(32).fill(calls++);
  await rejects(seal(keys), (error) => isKind(error, "data_damaged"));
});
