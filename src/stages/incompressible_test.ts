import { ok, strictEqual } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { type Bytes, concat, KIB, MIB, toBase64, utf8 } from "../base/bytes.ts";
import { looksIncompressible } from "./incompressible.ts";
import { WasmZstd } from "./zstd_wasm.ts";

/** The same noise each time (xorshift, Marsaglia 2003). */
function noise(length: number, seed = 1): Bytes {
  const data = new Uint8Array(length);
  let state = seed * 2654435761 | 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    data[i] = state >>> 11;
  }
  return data;
}

function text(length: number): Bytes {
  const words = ["backup", "of", "the", "folder", "which", "changed", "since", "last", "night", "at", "42"];
  const choice = noise(length);
  let all = "";
  for (let i = 0; all.length < length; i++) all += words[choice[i] % words.length] + " ";
  return utf8(all.slice(0, length));
}

/** A recording: a sine of 16 bits with a little noise. */
function sound(length: number): Bytes {
  const jitter = noise(length);
  const samples = Int16Array.from({ length: length / 2 }, (_, i) => 9000 * Math.sin(i / 30) + jitter[i] / 8);
  return new Uint8Array(samples.buffer);
}

/** Machine code: the middle of this very program, whose start is tables. */
async function middleOfProgram(length: number): Promise<Bytes> {
  using file = await Deno.open(Deno.execPath());
  await file.seek(Math.floor((await file.stat()).size / 2), Deno.SeekMode.Start);
  const data = new Uint8Array(length);
  let read = 0;
  for (let n: number | null; read < length && (n = await file.read(data.subarray(read))) !== null;) read += n;
  return data.subarray(0, read);
}

async function database(): Promise<Bytes> {
  const path = await Deno.makeTempFile({ suffix: ".db" });
  try {
    const db = new DatabaseSync(path);
    db.exec("CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, secret BLOB); BEGIN");
    const insert = db.prepare("INSERT INTO person (name, secret) VALUES (?, ?)");
    for (let i = 0; i < 3000; i++) insert.run(`person ${i * 7919}`, noise(32, i + 1));
    db.exec("COMMIT");
    db.close();
    return await Deno.readFile(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("looksIncompressible() tells media and archives from the rest", async (t) => {
  const program = await middleOfProgram(4 * MIB);
  const archive = new Uint8Array(gzipSync(program));
  const cases: { name: string; data: Uint8Array; expected: boolean }[] = [
    { name: "noise, 1 KiB", data: noise(KIB), expected: true },
    { name: "noise, 64 KiB", data: noise(64 * KIB), expected: true },
    { name: "noise, 4 MiB", data: noise(4 * MIB), expected: true },
    { name: "gzip of a program", data: archive, expected: true },
    { name: "gzip of text", data: new Uint8Array(gzipSync(text(2 * MIB))), expected: true },
    {
      name: "gzip without its start, in the middle of a buffer",
      data: archive.subarray(1001, 400_001),
      expected: true,
    },
    { name: "nothing", data: new Uint8Array(0), expected: false },
    { name: "noise too short to judge", data: noise(511), expected: false },
    { name: "zeros", data: new Uint8Array(MIB), expected: false },
    { name: "text", data: text(MIB), expected: false },
    { name: "source code", data: await Deno.readFile(new URL(import.meta.url)), expected: false },
    { name: "a program", data: program, expected: false },
    { name: "a database", data: await database(), expected: false },
    { name: "base64 of noise", data: utf8(toBase64(noise(200 * KIB))), expected: false },
    { name: "sound", data: sound(MIB), expected: false },
    { name: "noise of seven bits", data: noise(MIB).map((byte) => byte & 127), expected: false },
    { name: "the same noise again and again", data: concat(Array(64).fill(noise(KIB))), expected: false },
    { name: "noise behind text", data: concat([text(256 * KIB), noise(768 * KIB)]), expected: false },
    { name: "text behind noise", data: concat([noise(3 * MIB), text(512 * KIB)]), expected: false },
  ];
  for (const { name, data, expected } of cases) {
    await t.step(name, () => strictEqual(looksIncompressible(data), expected));
  }
});

Deno.test("looksIncompressible() gives away no more than 5 %, whatever share of a frame is noise", async () => {
  const zstd = await WasmZstd.load();
  let skipped = 0;
  fc.assert(
    fc.property(fc.integer({ min: 1 * KIB, max: 300 * KIB }), fc.integer({ min: 0, max: 40 }), (length, percent) => {
      const plain = concat([
        noise(length - Math.floor(length * percent / 100), length),
        text(Math.floor(length * percent / 100)),
      ]);
      if (!looksIncompressible(plain)) return;
      skipped++;
      const saved = 1 - zstd.compress(plain, 3).length / plain.length;
      ok(saved < 0.05, `${saved} of ${length} bytes with ${percent} % text`);
    }),
    { numRuns: 300 },
  );
  ok(skipped > 0, "nothing was skipped");
});
