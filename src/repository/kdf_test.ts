import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { fromHex, toHex, utf8 } from "../base/bytes.ts";
import { AxiomError, type ErrorKind, isKind } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { KdfParameters } from "../model/kdf_parameters.ts";
import { runKdf } from "./kdf.ts";
import { type Secret, secretBytes } from "./secret.ts";

Deno.test("runKdf() computes published vectors", async (t) => {
  const cases: { name: string; kdf: KdfParameters; secret: string; salt: string; output: string }[] = [
    {
      name: "argon2id: test.c of the reference implementation, version 0x13, t=2, m=2^16, p=1",
      kdf: { algorithm: "argon2id", memory_kib: 65536, passes: 2, lanes: 1 },
      secret: "password",
      salt: "somesalt",
      output: "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7",
    },
    {
      name: "argon2id: the same with t=2, m=2^8, p=2",
      kdf: { algorithm: "argon2id", memory_kib: 256, passes: 2, lanes: 2 },
      secret: "password",
      salt: "somesalt",
      output: "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037",
    },
    {
      name: "pbkdf2: RFC 7914, section 11",
      kdf: { algorithm: "pbkdf2-hmac-sha256", iterations: 80_000 },
      secret: "Password",
      salt: "NaCl",
      output: "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56",
    },
  ];
  for (const { name, kdf, secret, salt, output } of cases) {
    await t.step(name, async () => strictEqual(toHex(await runKdf(kdf, utf8(secret), utf8(salt))), output));
  }
  await t.step("hkdf: the label separates it from every other use", async () => {
    const output = await runKdf({ algorithm: "hkdf-sha256" }, fromHex("0b".repeat(32)), new Uint8Array(32));
    strictEqual(toHex(output), "d1a16a2697f4867dc761a529337a68c30297acb5c57728cf91dbd7da7bab9d50");
  });
});

Deno.test("runKdf() refuses hostile costs without starting any work (40)", async (t) => {
  const cases: { kdf: KdfParameters; kind: ErrorKind }[] = [
    { kdf: { algorithm: "argon2id", memory_kib: 2 ** 21, passes: 3, lanes: 1 }, kind: "limit_exceeded" },
    { kdf: { algorithm: "argon2id", memory_kib: 65536, passes: 2 ** 31, lanes: 1 }, kind: "limit_exceeded" },
    { kdf: { algorithm: "pbkdf2-hmac-sha256", iterations: 2 ** 40 }, kind: "limit_exceeded" },
    { kdf: { algorithm: "scrypt" } as unknown as KdfParameters, kind: "repository_unsupported" },
  ];
  const { Worker } = globalThis;
  const { deriveBits } = crypto.subtle;
  const refuse = () => {
    throw new Error("work was started");
  };
  globalThis.Worker = refuse as unknown as typeof Worker;
  crypto.subtle.deriveBits = refuse;
  try {
    for (const { kdf, kind } of cases) {
      await t.step(JSON.stringify(kdf), async () => {
        await rejects(runKdf(kdf, utf8("x"), new Uint8Array(32)), (error) => isKind(error, kind));
      });
    }
  } finally {
    globalThis.Worker = Worker;
    crypto.subtle.deriveBits = deriveBits;
  }
});

Deno.test("runKdf() ends at once when aborted, and its worker with it", async () => {
  const kdf: KdfParameters = { algorithm: "argon2id", memory_kib: 65536, passes: 16, lanes: 1 };
  const controller = new AbortController();
  const running = runKdf(kdf, utf8("x"), new Uint8Array(32), controller.signal);
  const timer = setTimeout(() => controller.abort(), 20);
  await rejects(running, (error) => isKind(error, "interrupted"));
  clearTimeout(timer);
  await rejects(runKdf(kdf, utf8("x"), new Uint8Array(32), controller.signal), (error) => isKind(error, "interrupted"));
});

Deno.test("secretBytes() makes one text of a password however it was typed", () => {
  const composed = "Caf\u00e9 \u1e9b\u0323", decomposed = "Cafe\u0301 \u1e9b\u0323".normalize("NFD");
  const bytes = (password: string) => secretBytes({ kind: "password", password });
  ok(composed !== decomposed);
  deepStrictEqual(bytes(composed), bytes(decomposed));
  deepStrictEqual(bytes(" a\n"), utf8(" a\n"));
});

Deno.test("secretBytes() refuses what protects nothing or is no text", async (t) => {
  const key = (length: number) => Uint8Array.from({ length }, (_, i) => i);
  const cases: { name: string; secret: Secret; kind?: ErrorKind }[] = [
    { name: "an empty password", secret: { kind: "password", password: "" }, kind: "password_missing" },
    { name: "a lone surrogate", secret: { kind: "password", password: "a\ud800" }, kind: "usage" },
    { name: "64 KiB", secret: { kind: "password", password: "a".repeat(65536) } },
    { name: "64 KiB and 1", secret: { kind: "password", password: "a".repeat(65537) }, kind: "usage" },
    { name: "a key file of 31 bytes", secret: { kind: "key_file", bytes: key(31) }, kind: "usage" },
    { name: "a key file of 32 bytes", secret: { kind: "key_file", bytes: key(32) } },
    { name: "a key file of zeros", secret: { kind: "key_file", bytes: new Uint8Array(64) }, kind: "usage" },
    {
      name: "a huge key file",
      secret: { kind: "key_file", bytes: new Uint8Array(LIMITS.passwordFileBytesMax + 1) },
      kind: "usage",
    },
  ];
  for (const { name, secret, kind } of cases) {
    await t.step(name, () => {
      if (kind === undefined) ok(secretBytes(secret).length > 0);
      else throws(() => secretBytes(secret), (error) => error instanceof AxiomError && error.kind === kind);
    });
  }
});
