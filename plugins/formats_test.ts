/** What the codecs and ciphers here write is what others read, and the other way round. */
import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { type Bytes, concat, utf8 } from "../src/base/bytes.ts";
import { text } from "../src/plugins/conformance_samples.ts";
import { wasmCipher } from "../src/plugins/wasm_cipher.ts";
import { wasmCodec } from "../src/plugins/wasm_codec.ts";
import { zstdFrameFault } from "../src/stages/zstd_frame.ts";
import { WasmZstd } from "../src/stages/zstd_wasm.ts";
import { withPlugin } from "./opened.ts";

Deno.test("compression_zstd and the built-in codec read each other", async () => {
  const builtIn = await WasmZstd.load();
  await withPlugin("compression_zstd", {}, async ({ plugin, pool }) => {
    const codec = wasmCodec(pool, plugin.manifest);
    for (const level of [1, 3, 19]) {
      const data = text(300_000, level);
      const stored = (await codec.encode(data, level)).slice();
      equal(zstdFrameFault(stored, data.length), undefined);
      deepEqual(builtIn.decompress(stored, data.length).slice(), data);
      deepEqual((await codec.decode(builtIn.compress(data, level).slice(), data.length)).slice(), data);
    }
  });
});

const hasLz4 = spawnSync("lz4", ["--version"]).status === 0;

/** Through files: pipes that are not read while they are written to wait for ever. */
async function lz4(args: string[], input: Bytes): Promise<Bytes> {
  const folder = await Deno.makeTempDir({ prefix: "axiom-lz4-" });
  try {
    const from = join(folder, "in"), to = join(folder, "out");
    await Deno.writeFile(from, input);
    const { success, stderr } = await new Deno.Command("lz4", { args: [...args, from, to] }).output();
    ok(success, new TextDecoder().decode(stderr));
    return await Deno.readFile(to);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name: "lz4 reads what compression_lz4 wrote, and compression_lz4 what lz4 wrote",
  ignore: !hasLz4,
  fn: () =>
    withPlugin("compression_lz4", {}, async ({ plugin, pool }) => {
      const codec = wasmCodec(pool, plugin.manifest);
      const data = text(6_000_000);
      deepEqual(await lz4(["-d"], (await codec.encode(data, 0)).slice()), data);
      for (const level of ["-1", "-9"]) {
        deepEqual((await codec.decode(await lz4([level], data), data.length)).slice(), data);
      }
    }),
});

const hex = (digits: string) => Uint8Array.from(digits.match(/../g)!, (pair) => parseInt(pair, 16));

/** draft-irtf-cfrg-xchacha-03, A.3.1 */
Deno.test("encryption_xchacha20 makes the ciphertext of its specification", () =>
  withPlugin("encryption_xchacha20", {}, async ({ plugin, pool }) => {
    const nonce = hex("404142434445464748494a4b4c4d4e4f5051525354555657");
    const key = Uint8Array.from({ length: 32 }, (_, i) => 0x80 + i);
    const aad = hex("50515253c0c1c2c3c4c5c6c7");
    const plain = utf8(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    );
    const sealed = await wasmCipher(pool, plugin.manifest, () => nonce).seal(key, aad, plain);
    const expected = hex(
      "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39" +
        "ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9" +
        "21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49",
    );
    deepEqual(sealed.slice(), concat([nonce, expected]));
  }));
