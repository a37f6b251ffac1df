import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import { join } from "node:path";
import { failed } from "../../tests/fixtures/tampering.ts";
import { utf8 } from "../base/bytes.ts";
import { systemRandom } from "../base/random.ts";
import { readPublicKey, readSecretKey, writeKeyPair, writeSignature } from "./key_files.ts";
import { generateKey, sign } from "./minisign.ts";
import { formatSecretKey, parseSignature, publicKeyText } from "./minisign_format.ts";

const secret = await generateKey(systemRandom);
const { seed: _, ...shown } = secret;

async function inFolder(run: (at: (name: string) => string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run((name) => join(folder, name));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a key pair is written to two new files, and read again", () =>
  inFolder(async (at) => {
    const files = await writeKeyPair(at("author"), secret);
    deepEqual(files, { secretPath: at("author.key"), publicPath: at("author.pub") });
    if (Deno.build.os !== "windows") equal(Deno.statSync(files.secretPath).mode! & 0o777, 0o600);
    deepEqual(await readSecretKey(files.secretPath), secret);
    deepEqual(await readPublicKey(files.publicPath), shown);
    deepEqual(await readPublicKey(publicKeyText(secret)), shown);
    await rejects(
      writeKeyPair(at("author"), secret),
      failed("target_unwritable", /author\.key: there is a file of that name/),
    );
    await Deno.remove(files.secretPath);
    await rejects(writeKeyPair(at("author"), secret), failed("target_unwritable", /author\.pub: there is a file/));
    await rejects(Deno.stat(files.secretPath), Deno.errors.NotFound); // not half a pair
  }));

Deno.test("a signature replaces an older one", () =>
  inFolder(async (at) => {
    for (const comment of ["one", "two"]) {
      equal(await writeSignature(at("a.wasm"), await sign(utf8(comment), secret, comment)), at("a.wasm.minisig"));
    }
    equal(parseSignature(await Deno.readTextFile(at("a.wasm.minisig"))).trustedComment, "two");
    const nowhere = writeSignature(at("gone/a.wasm"), await sign(utf8("x"), secret, "x"));
    await rejects(nowhere, failed("target_unwritable", /Cannot write the signature .*a\.wasm\.minisig/));
  }));

Deno.test("a file that is no key is refused, with what to do", async (t) => {
  const protectedKey = formatSecretKey(secret).replace("RWQAAEIy", "RWRTY0Iy"); // "Sc" in the place of no function
  const cases: [name: string, data: string | Uint8Array | undefined, message: RegExp, hint?: RegExp][] = [
    ["missing", undefined, /Cannot use the secret key .*file: there is no such file/],
    ["empty", "", /expected 2 lines, found 0/],
    ["protected by a password", protectedKey, /a password protects it/, /minisign -C -W/],
    ["not text", Uint8Array.of(0xff, 0xfe), /it is not text/],
    ["far too long", "x".repeat(1_000_000), /found 1/],
  ];
  for (const [name, data, message, hint] of cases) {
    await t.step(name, () =>
      inFolder(async (at) => {
        if (data !== undefined) await Deno.writeFile(at("file"), typeof data === "string" ? utf8(data) : data);
        await rejects(readSecretKey(at("file")), failed("usage", message, hint));
      }));
  }
});
