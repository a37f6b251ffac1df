import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { utf8 } from "../base/bytes.ts";
import { AxiomError, isKind } from "../base/errors.ts";
import { accessOf, type Features, requireAccess } from "./features.ts";
import { decodeConfig, DEFAULT_SETTINGS, encodeConfig, type RepositoryConfig } from "./repository_config.ts";
import { encodeTextObject } from "./text_object.ts";

const KEY = "config/0000000001";
const CONFIG: RepositoryConfig = {
  ...DEFAULT_SETTINGS,
  format_version: 1,
  repository_id: "00112233445566778899aabbccddeeff",
  created: "1750000000000000000",
  label: "Fotos – Zürich",
  features: { read: [], write: [], delete: [] },
};

const decode = (json: string) => decodeConfig(encodeTextObject(utf8(json), new Uint8Array(32)), KEY).config;
const text = (config: RepositoryConfig) => new TextDecoder().decode(encodeConfig(config));

Deno.test("encodeConfig() and decodeConfig() are inverse, and members of later versions survive", () => {
  const later = {
    ...CONFIG,
    parity: { shards: 3 },
    features: { ...CONFIG.features, repair: ["x"] },
    chunker: { ...CONFIG.chunker, normalization: 3 },
  };
  for (const config of [CONFIG, later]) {
    deepEqual(decode(text(config)), config);
    equal(text(decode(text(config))), text(config));
  }
});

Deno.test("decodeConfig() keeps a member that is called __proto__", () => {
  const json = text(CONFIG).replace("{", '{"__proto__":{"label":"x"},');
  const config = decode(json);
  equal(text(config), json);
  equal(config.label, CONFIG.label);
});

Deno.test("decodeConfig() and encodeConfig() refuse what cannot be", async (t) => {
  const cases: [string, Record<string, unknown>, RegExp][] = [
    ["an id in capitals", { repository_id: CONFIG.repository_id.toUpperCase() }, /repository_id/],
    ["a short id", { repository_id: "00" }, /repository_id/],
    ["a time as number", { created: 5 }, /time of creation/],
    ["a label with an escape sequence", { label: "\u001b[31m" }, /control characters/],
    ["a long label", { label: "ä".repeat(129) }, /258 bytes/],
    ["no features", { features: undefined }, /no features/],
    ["a set that is no list", { features: { read: {}, write: [], delete: [] } }, /features.read/],
    ["a feature that is no name", { features: { read: [], write: ["a b"], delete: [] } }, /features.write/],
    ["a feature twice", { features: { read: [], write: [], delete: ["a", "a"] } }, /features.delete/],
    ["no chunker", { chunker: null }, /section/],
    ["a chunker without a name", { chunker: { ...CONFIG.chunker, algorithm: "" } }, /name of a chunker/],
    ["chunks out of order", { chunker: { ...CONFIG.chunker, min: 2 ** 21 } }, /order/],
    ["chunks of 1 byte", { chunker: { ...CONFIG.chunker, min: 1 } }, /out of range/],
    ["chunks beyond a frame", { chunker: { ...CONFIG.chunker, max: 2 ** 30 } }, /out of range/],
    ["blocks of no name", { fixed_blocks: { algorithm: "" } }, /name of a chunker/],
    ["packs of 1 TiB", { pack_bytes: { min: 2 ** 24, max: 2 ** 40 } }, /pack_bytes/],
    ["frames of 1 GiB", { frame_bytes: { data: 2 ** 30 } }, /frame_bytes.data/],
  ];
  for (const [name, members, why] of cases) {
    await t.step(name, () => {
      const config = { ...CONFIG, ...members } as unknown as RepositoryConfig;
      throws(() => encodeConfig(config), RangeError);
      const json = new TextDecoder().decode(canonical(config));
      throws(() => decode(json), (error) => isKind(error, "data_damaged") && why.test(error.message));
    });
  }
});

function canonical(value: unknown): Uint8Array {
  const sort = (item: unknown): unknown =>
    typeof item !== "object" || item === null || Array.isArray(item) ? item : Object.fromEntries(
      Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, sort(member)]),
    );
  return utf8(JSON.stringify(sort(value)));
}

Deno.test("decodeConfig() refuses a later format by name", () => {
  throws(() => decode('{"format_version":2,"new":1}'), (error) => {
    return isKind(error, "repository_unsupported") && /version 2/.test(error.message) && error.hint !== undefined;
  });
});

Deno.test("decodeConfig() throws nothing but AxiomError for any JSON", () => {
  const members = Object.keys(CONFIG);
  fc.assert(fc.property(fc.constantFrom(...members), fc.jsonValue({ noUnicodeString: false }), (member, value) => {
    const json = new TextDecoder().decode(canonical({ ...CONFIG, [member]: value }));
    try {
      equal(text(decode(json)), json);
    } catch (error) {
      ok(error instanceof AxiomError, String(error));
    }
  }));
});

Deno.test("accessOf() forbids exactly what an unknown feature needs", async (t) => {
  const known = { read: ["known"], write: ["known"], delete: ["known"] };
  const cases: { name: string; features: Partial<Features>; forbidden: string[] }[] = [
    { name: "nothing", features: {}, forbidden: [] },
    { name: "known ones", features: { read: ["known"], write: ["known"], delete: ["known"] }, forbidden: [] },
    { name: "delete", features: { delete: ["x"] }, forbidden: ["delete"] },
    { name: "write", features: { write: ["x"] }, forbidden: ["write", "delete"] },
    { name: "read", features: { read: ["known", "x", "y"] }, forbidden: ["read", "write", "delete"] },
  ];
  for (const { name, features, forbidden } of cases) {
    await t.step(name, () => {
      const access = accessOf({ ...CONFIG, features: { ...CONFIG.features, ...features } }, known);
      deepEqual(Object.keys(access), forbidden);
      for (const to of ["read", "write", "delete"] as const) {
        if (!forbidden.includes(to)) requireAccess(access, to, "/repo");
        else {
          throws(() => requireAccess(access, to, "/repo"), (error) => {
            return isKind(error, "repository_unsupported") && error.message.includes("x") && /Update/.test(error.hint!);
          });
        }
      }
    });
  }
  await t.step("an unknown chunker: readable, not writable", () => {
    const access = accessOf({ ...CONFIG, chunker: { ...CONFIG.chunker, algorithm: "fastcdc-2" } });
    deepEqual(Object.keys(access), ["write", "delete"]);
    throws(() => requireAccess(access, "write", "/repo"), /fastcdc-2/);
  });
});
