import { strictEqual, throws } from "node:assert/strict";
import { noneCodec } from "./compress.ts";
import { builtInStages } from "./registry.ts";
import { parseCompression, parseEncryption } from "./stage_choice.ts";

const { codecs, ciphers } = builtInStages();

Deno.test("parseCompression() reads codecs and levels", async (t) => {
  const cases: [string, string, number][] = [
    ["zstd", "compression_zstd", 3],
    ["zstd:1", "compression_zstd", 1],
    ["zstd:19", "compression_zstd", 19],
    ["zstd:22", "compression_zstd", 22],
    ["compression_zstd:7", "compression_zstd", 7],
    ["none", "compression_none", 0],
    ["auto", "compression_zstd", 3],
  ];
  for (const [text, pluginId, level] of cases) {
    await t.step(text, () => {
      const choice = parseCompression(text, codecs);
      strictEqual(choice.codec.pluginId, pluginId);
      strictEqual(choice.level, level);
    });
  }
  await t.step("a plugin's", () => {
    const lz4 = {
      ...noneCodec(),
      pluginId: "compression_lz4",
      formatId: "lz4-frame-1",
      levels: { minimum: 0, maximum: 12, default: 1 },
    };
    strictEqual(parseCompression("lz4:0", codecs.with(lz4)).codec, lz4);
    strictEqual(parseCompression("lz4", codecs.with(lz4)).level, 1);
  });
});

Deno.test("parseCompression() refuses everything else with the way out", async (t) => {
  const levels = "Levels of zstd are 1 (fastest) to 22 (smallest), such as --compression zstd:3";
  const known = "Known are auto, zstd, none; others are plugins, which `axiom plugin load` installs";
  const cases: [string, string, string][] = [
    ["zstf", 'Cannot compress with "zstf": there is no codec "zstf"', `Did you mean zstd? ${known}`],
    ["gzip:9", 'Cannot compress with "gzip:9": there is no codec "gzip"', known],
    ["", 'Cannot compress with "": there is no codec ""', known],
    [":3", 'Cannot compress with ":3": there is no codec ""', known],
    ["ZSTD", 'Cannot compress with "ZSTD": there is no codec "ZSTD"', `Did you mean zstd? ${known}`],
    ["zstd:", 'Cannot compress with "zstd:": "" is not a level of zstd', levels],
    ["zstd:0", 'Cannot compress with "zstd:0": "0" is not a level of zstd', levels],
    ["zstd:23", 'Cannot compress with "zstd:23": "23" is not a level of zstd', levels],
    ["zstd:-1", 'Cannot compress with "zstd:-1": "-1" is not a level of zstd', levels],
    ["zstd:3.5", 'Cannot compress with "zstd:3.5": "3.5" is not a level of zstd', levels],
    ["zstd:1e1", 'Cannot compress with "zstd:1e1": "1e1" is not a level of zstd', levels],
    ["zstd: 3", 'Cannot compress with "zstd: 3": " 3" is not a level of zstd', levels],
    ["zstd:3:4", 'Cannot compress with "zstd:3:4": "3:4" is not a level of zstd', levels],
    ["none:1", 'Cannot compress with "none:1": none has no levels', "Write --compression none"],
    ["auto:5", 'Cannot compress with "auto:5": auto has no levels', "Write --compression auto"],
  ];
  for (const [text, message, hint] of cases) {
    await t.step(JSON.stringify(text), () => {
      throws(() => parseCompression(text, codecs), { name: "AxiomError", kind: "usage", message, hint });
    });
  }
});

Deno.test("parseEncryption() reads the three modes and refuses to go without", async (t) => {
  const cases: [string, string][] = [
    ["aes-256-gcm", "aes-256-gcm-1"],
    ["aes-256-cbc", "aes-256-cbc-hmac-sha256-1"],
    ["aes-256-ctr", "aes-256-ctr-hmac-sha256-1"],
    ["gcm", "aes-256-gcm-1"],
    ["cbc", "aes-256-cbc-hmac-sha256-1"],
    ["ctr", "aes-256-ctr-hmac-sha256-1"],
  ];
  for (const [text, formatId] of cases) {
    await t.step(text, () => strictEqual(parseEncryption(text, ciphers).formatId, formatId));
  }
  const known =
    "Known are aes-256-gcm, aes-256-cbc, aes-256-ctr; others are plugins, which `axiom plugin load` installs";
  const refused: [string, string][] = [
    ["aes256gcm", `Did you mean aes-256-gcm? ${known}`],
    ["aes-256-ecb", `Did you mean aes-256-gcm? ${known}`],
    ["none", known],
    ["plain", known],
    ["plain-hmac-sha256-1", known],
    ["constructor", known],
    ["", known],
  ];
  for (const [text, hint] of refused) {
    await t.step(JSON.stringify(text), () => {
      throws(() => parseEncryption(text, ciphers), {
        name: "AxiomError",
        kind: "usage",
        message: `Cannot encrypt with "${text}": there is no such cipher`,
        hint,
      });
    });
  }
});
