import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { utf8 } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import type { Codec } from "./codec.ts";
import { noneCodec, zstdCodec } from "./compress.ts";
import { builtInStages, FormatRegistry, plainMacCipherFormat, Registry } from "./registry.ts";

function lz4(version: string, formatId = "lz4-frame-1"): Codec {
  return { ...noneCodec(), pluginId: "compression_lz4", version, formatId };
}

Deno.test("Registry finds by plugin id and never changes", () => {
  const stores = new Registry("store", [{ pluginId: "storage_local", n: 1 }, { pluginId: "storage_s3", n: 2 }]);
  strictEqual(stores.get("storage_s3").n, 2);
  const swapped = stores.with({ pluginId: "storage_s3", n: 3 });
  deepStrictEqual(swapped.all.map(({ n }) => n), [1, 3]);
  deepStrictEqual(swapped.with({ pluginId: "storage_sftp", n: 4 }).all.map(({ n }) => n), [1, 3, 4]);
  strictEqual(stores.get("storage_s3").n, 2, "the old generation is as it was");
  strictEqual(stores.has("storage_sftp"), false);
  strictEqual(swapped.has("storage_local"), true);
});

Deno.test("Registry says what it knows when asked for something else", async (t) => {
  const stores = new Registry("store", [{ pluginId: "storage_local" }, { pluginId: "storage_s3" }]);
  const cases = [
    {
      name: "storage_locla",
      message: "Cannot use the store storage_locla: there is none of this name",
      hint: "Did you mean storage_local? Known are storage_local, storage_s3",
    },
    {
      name: "carrier_pigeon",
      message: "Cannot use the store carrier_pigeon: there is none of this name",
      hint: "Known are storage_local, storage_s3",
    },
    {
      name: "__proto__",
      message: "Cannot use the store __proto__: there is none of this name",
      hint: "Known are storage_local, storage_s3",
    },
  ];
  for (const { name, message, hint } of cases) {
    await t.step(name, () => throws(() => stores.get(name), { name: "AxiomError", kind: "usage", message, hint }));
  }
  throws(() => new Registry("store", [{ pluginId: "a" }, { pluginId: "a" }]), RangeError);
});

Deno.test("FormatRegistry keeps several formats of one plugin, and the built-in reader of a format", () => {
  const codecs = new FormatRegistry<Codec>("codec", [zstdCodec(), lz4("1.0.0")]);
  strictEqual(codecs.forFormat("lz4-frame-1").version, "1.0.0");
  strictEqual(codecs.with(lz4("1.1.0")).forFormat("lz4-frame-1").version, "1.1.0", "replaced");
  const both = codecs.with(lz4("2.0.0", "lz4-frame-2"));
  strictEqual(both.forFormat("lz4-frame-1").version, "1.0.0");
  strictEqual(both.forFormat("lz4-frame-2").version, "2.0.0");
  const other = { ...zstdCodec(), pluginId: "compression_zstd_fast" };
  strictEqual(codecs.with(other).forFormat("zstd-1").pluginId, "compression_zstd");
  strictEqual(codecs.with(other).get("compression_zstd_fast"), other);
});

Deno.test("a format that nothing reads is `repository_unsupported` and names its writer", () => {
  const stages = builtInStages();
  throws(() => stages.codecForFormat("lz4-frame-1", "compression_lz4"), {
    kind: "repository_unsupported",
    message:
      "Cannot read the codec format lz4-frame-1: what is stored, written by compression_lz4, needs a plugin that is not loaded",
    hint: "Load the plugin compression_lz4, or update axiom",
  });
  throws(() => stages.cipherForFormat("xchacha20-1"), {
    kind: "repository_unsupported",
    message: "Cannot read the cipher format xchacha20-1: what is stored needs a plugin that is not loaded",
  });
  throws(() => stages.codec("compression_brotli"), (error: unknown) => {
    ok(error instanceof AxiomError && error.kind === "usage");
    return true;
  });
});

Deno.test("builtInStages() has what format 1 needs, each working under its own name", async () => {
  const stages = builtInStages();
  deepStrictEqual(stages.codecs.all.map(({ pluginId, formatId }) => [pluginId, formatId]), [
    ["compression_zstd", "zstd-1"],
    ["compression_none", "none"],
  ]);
  deepStrictEqual(stages.ciphers.all.map(({ pluginId, formatId, keyBytes }) => [pluginId, formatId, keyBytes]), [
    ["encryption_aes", "aes-256-gcm-1", 32],
    ["encryption_aes", "aes-256-cbc-hmac-sha256-1", 64],
    ["encryption_aes", "aes-256-ctr-hmac-sha256-1", 64],
    ["plain_mac", plainMacCipherFormat, 32],
  ]);
  strictEqual(stages.tableCipher.formatId, "aes-256-gcm-1");
  const plain = utf8("what is saved");
  for (const { pluginId, formatId, version, decoder } of [...stages.codecs.all, ...stages.ciphers.all]) {
    ok(/^[a-z][a-z0-9_]{2,63}$/.test(pluginId) && /^[0-9]+\.[0-9]+\.[0-9]+$/.test(version) && formatId.length < 64);
    strictEqual(decoder, "built-in");
  }
  for (const { pluginId, formatId } of stages.codecs.all) {
    const codec = stages.codec(pluginId);
    const stored = await codec.encode(plain, codec.levels.default);
    deepStrictEqual(await stages.codecForFormat(formatId).decode(stored, plain.length), plain);
  }
  for (const { formatId, keyBytes } of stages.ciphers.all) {
    const cipher = stages.cipherForFormat(formatId), key = new Uint8Array(keyBytes);
    deepStrictEqual(await cipher.open(key, plain, await cipher.seal(key, plain, plain)), plain);
  }
});
