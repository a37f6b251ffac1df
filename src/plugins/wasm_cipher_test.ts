import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import { utf8 } from "../base/bytes.ts";
import { systemClock } from "../base/clock.ts";
import type { ErrorKind } from "../base/errors.ts";
import type { Cipher } from "../stages/codec.ts";
import { failed } from "../../tests/fixtures/tampering.ts";
import { admit } from "./admission.ts";
import { openPlugin } from "./open_plugin.ts";
import { CIPHER, manifestSection } from "./plugin_fixture.ts";
import { toyCipher } from "./toy_cipher_fixture.ts";
import { wasmCipher } from "./wasm_cipher.ts";
import { op, pluginModule, type PluginParts } from "./wasm_fixture.ts";

const KEY = new Uint8Array(32).fill(5), AAD = utf8("where it belongs"), PLAIN = utf8("what nobody may read");

async function withCipher(execute: PluginParts["execute"], use: (cipher: Cipher) => Promise<void>): Promise<void> {
  const admitted = admit(pluginModule({ execute, memory: { minimum: 220 }, sections: [manifestSection(CIPHER)] }));
  const settings = { granted: [], configuration: {}, instancesMax: 1, clock: systemClock };
  const pool = openPlugin(admitted, settings);
  try {
    await use(wasmCipher(pool, admitted.manifest, (length) => new Uint8Array(length).fill(9)));
  } finally {
    await pool.close();
  }
}

Deno.test("a plugin is a cipher: the host draws the nonce and stores it first", async () => {
  await withCipher(toyCipher(), async (cipher) => {
    const sealed = await cipher.seal(KEY, AAD, PLAIN);
    equal(sealed.length, PLAIN.length + cipher.overheadBytes(PLAIN.length));
    deepEqual(sealed.slice(0, 8), new Uint8Array(8).fill(9));
    deepEqual((await cipher.open(KEY, AAD, sealed)).slice(), PLAIN);
    await rejects(
      cipher.open(KEY, utf8("somewhere"), sealed),
      failed("data_damaged", /encryption_toy 1\.2\.3 .*auth/, /^/),
    );
    await rejects(cipher.open(KEY, AAD, sealed.slice(0, 11)), failed("data_damaged", /11 bytes, at least 12/, /^/));
    await rejects(cipher.seal(KEY.slice(1), AAD, PLAIN), RangeError);
  });
});

Deno.test("a cipher that fails seals nothing, and says nothing of the data", async (t) => {
  const cases: { name: string; execute: PluginParts["execute"]; seal: RegExp; open: [ErrorKind, RegExp] }[] = [
    {
      name: "traps",
      execute: [op.unreachable],
      seal: /run seal of encryption_toy .*trap/,
      open: ["plugin_failed", /run open of .*trap/],
    },
    {
      name: "answers internal",
      execute: [op.const(11)],
      seal: /internal/,
      open: ["plugin_failed", /internal/],
    },
    {
      name: "writes nothing",
      execute: [op.const(0)],
      seal: /0 bytes of 20 instead of 24/,
      open: ["data_damaged", /0 bytes instead of 20/],
    },
  ];
  for (const { name, execute, seal, open } of cases) {
    await t.step(name, () =>
      withCipher(execute, async (cipher) => {
        await rejects(cipher.seal(KEY, AAD, PLAIN), failed("plugin_failed", seal, /^/));
        await rejects(cipher.open(KEY, AAD, new Uint8Array(32)), failed(...open, /^/));
      }));
  }
});
