import { deepStrictEqual, notStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, concat, equalBytes, free, fromHex, KIB, MIB, utf8 } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import type { Codec } from "./codec.ts";
import { noneCodec, zstdCodec } from "./compress.ts";
import { canReplaceWasm, loadZstd, NodeZstd, type Zstd, zstdBound } from "./zstd.ts";
import { zstdFrameFault } from "./zstd_frame.ts";
import { WasmZstd } from "./zstd_wasm.ts";

const wasm = await WasmZstd.load();
const native = new NodeZstd(await import("node:zlib") as unknown as NodeZstd["zlib"]);
const implementations: Zstd[] = canReplaceWasm(native) ? [native, wasm] : [wasm];

const FOX = utf8("The quick brown fox jumps over the lazy dog. The quick brown fox jumps over the lazy dog.");
/** Written by the zstd program 1.5.4 from {@linkcode FOX}. */
const BY_PROGRAM = {
  level3: fromHex(
    "28b52ffd2059ad0100d40254686520717569636b2062726f776e20666f78206a756d7073206f76657220746865206c617a7920646f672e2001000d9aaa0c",
  ),
  level19AndChecksum: fromHex(
    "28b52ffd2459ad0100d40254686520717569636b2062726f776e20666f78206a756d7073206f76657220746865206c617a7920646f672e2001000d9aaa0c9db4cd6c",
  ),
  withoutContentSize: fromHex(
    "28b52ffd0058ad0100d40254686520717569636b2062726f776e20666f78206a756d7073206f76657220746865206c617a7920646f672e2001000d9aaa0c",
  ),
};

/** Half words that repeat, half noise. */
function mixed(length: number): Bytes {
  const data = new Uint8Array(length);
  let state = length + 1;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[at] = (at & 64) === 0 ? 97 + (at % 23) : state >>> 24;
  }
  return data;
}

function codecOf(zstd: Zstd): Codec {
  return zstdCodec(() => Promise.resolve(zstd));
}

function isDamaged(error: unknown): boolean {
  return error instanceof AxiomError && error.kind === "data_damaged";
}

Deno.test("zstd: what one implementation encodes, each decodes", async (t) => {
  const lengths = [0, 1, 2, 255, 256, 257, 65_791, 65_792, 128 * KIB, 256 * KIB + 1, 4 * MIB];
  for (const writer of implementations) {
    for (const reader of implementations) {
      await t.step(`${writer.implementation} to ${reader.implementation}`, async () => {
        for (const length of lengths) {
          const plain = mixed(length);
          const encoded = await codecOf(writer).encode(plain, 3);
          strictEqual(zstdFrameFault(encoded, length), undefined);
          ok(encoded.length <= zstdBound(length));
          const decoded = await codecOf(reader).decode(encoded, length);
          strictEqual(decoded.constructor, Uint8Array);
          ok(equalBytes(decoded, plain), `${length} bytes`);
        }
      });
    }
  }
});

Deno.test("zstd: every level round-trips, and high ones are smaller", async (t) => {
  const plain = concat([await Deno.readFile(new URL(import.meta.url)), mixed(20_000)]);
  for (const zstd of implementations) {
    await t.step(zstd.implementation, async () => {
      const codec = codecOf(zstd);
      const sizes: number[] = [];
      for (let level = 1; level <= 22; level++) {
        const encoded = await codec.encode(plain, level);
        sizes.push(encoded.length);
        ok(equalBytes(await codec.decode(encoded, plain.length), plain), `level ${level}`);
      }
      ok(sizes[18] < sizes[2] && sizes[2] < sizes[0], sizes.join(" "));
    });
  }
});

Deno.test("zstd: any bytes round-trip through the built-in codec", async () => {
  const codec = zstdCodec();
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), fc.integer({ min: 1, max: 22 }), async (data, level) => {
      const plain = new Uint8Array(data);
      deepStrictEqual(await codec.decode(await codec.encode(plain, level), plain.length), plain);
    }),
    { numRuns: 50 },
  );
});

Deno.test("zstd: frames of the reference program are read", async (t) => {
  for (const zstd of implementations) {
    for (const name of ["level3", "level19AndChecksum"] as const) {
      await t.step(`${zstd.implementation}, ${name}`, async () => {
        deepStrictEqual(await codecOf(zstd).decode(BY_PROGRAM[name], FOX.length), FOX);
      });
    }
    await t.step(`${zstd.implementation}, wrong checksum`, async () => {
      const damaged = BY_PROGRAM.level19AndChecksum.slice();
      damaged[damaged.length - 1] ^= 1;
      await rejects(async () => await codecOf(zstd).decode(damaged, FOX.length), isDamaged);
    });
  }
});

/** A frame of one-byte-repeated blocks that claims `claimed` bytes and makes `blocks` × `blockBytes`. */
function bomb(claimed: number, blocks: number, blockBytes: number): Bytes {
  const header = new Uint8Array(9);
  header.set([0x28, 0xb5, 0x2f, 0xfd, 0xa0]);
  new DataView(header.buffer).setUint32(5, claimed, true);
  const parts = Array.from({ length: blocks }, (_, i) => {
    const block = blockBytes * 8 + 2 + (i === blocks - 1 ? 1 : 0);
    return Uint8Array.of(block & 255, (block >> 8) & 255, block >> 16, 0x41);
  });
  return concat([header, ...parts]);
}

Deno.test("zstd: a frame with a false outside is refused before any decoder sees it", async (t) => {
  const frame = BY_PROGRAM.level3;
  const changed = (at: number, value: number) => frame.with(at, value);
  const cases: { name: string; stored: Bytes; plainLength?: number; why: RegExp }[] = [
    { name: "empty", stored: new Uint8Array(0), why: /not a Zstandard frame/ },
    { name: "another magic", stored: changed(0, 0x29), why: /not a Zstandard frame/ },
    { name: "skippable frame", stored: fromHex("502a4d1804000000aaaaaaaa"), why: /not a Zstandard frame/ },
    { name: "reserved bit", stored: changed(4, 0x28), why: /reserved bit/ },
    { name: "dictionary", stored: changed(4, 0x21), why: /dictionary/ },
    { name: "no content size", stored: BY_PROGRAM.withoutContentSize, why: /does not say how long/ },
    { name: "one byte more asked for", stored: frame, plainLength: 90, why: /claims to hold 89 bytes instead of 90/ },
    { name: "one byte less asked for", stored: frame, plainLength: 88, why: /claims to hold 89 bytes instead of 88/ },
    { name: "claims 4 GiB", stored: bomb(0xffffffff, 1, 1000), plainLength: 1000, why: /claims to hold 4294967295/ },
    {
      name: "claims 2^63",
      stored: fromHex("28b52ffde0000000000000008001000041"),
      why: /claims to hold 92233720368547/,
    },
    { name: "one trailing byte", stored: concat([frame, Uint8Array.of(0)]), why: /ends at byte 62 of 63/ },
    { name: "two frames", stored: concat([frame, frame]), why: /ends at byte 62 of 124/ },
    { name: "reserved block type", stored: changed(6, 0xaf), why: /blocks are cut short/ },
    { name: "no last block", stored: changed(6, 0xac), why: /blocks are cut short/ },
    { name: "checksum missing", stored: BY_PROGRAM.level19AndChecksum.slice(0, -1), why: /ends at byte 66 of 65/ },
  ];
  for (let length = 0; length < frame.length; length++) {
    cases.push({ name: `cut to ${length}`, stored: frame.slice(0, length), why: /cut short|not a Zstandard frame/ });
  }
  const refusing: Zstd = {
    implementation: "wasm",
    compress: () => new Uint8Array(0),
    decompress: () => {
      throw new Error("the decoder was called");
    },
  };
  for (const { name, stored, plainLength = FOX.length, why } of cases) {
    await t.step(name, () => {
      throws(() => codecOf(refusing).decode(stored, plainLength), (error: unknown) => {
        ok(isDamaged(error), String(error));
        ok(why.test((error as Error).message), (error as Error).message);
        return true;
      });
    });
  }
});

Deno.test("zstd: blocks that make more or less than the frame claims are refused", async (t) => {
  for (const zstd of implementations) {
    const cases = [
      { name: "one byte more", stored: bomb(1000, 1, 1001) },
      { name: "one byte less", stored: bomb(1000, 1, 999) },
      { name: "100,000 blocks of 128 KiB", stored: bomb(1000, 100_000, 128 * KIB) },
    ];
    for (const { name, stored } of cases) {
      await t.step(`${zstd.implementation}, ${name}`, async () => {
        strictEqual(zstdFrameFault(stored, 1000), undefined);
        await rejects(async () => await codecOf(zstd).decode(stored, 1000), isDamaged);
        deepStrictEqual(await codecOf(zstd).decode(BY_PROGRAM.level3, FOX.length), FOX, "usable afterwards");
      });
    }
    await t.step(`${zstd.implementation}, honest`, async () => {
      deepStrictEqual(await codecOf(zstd).decode(bomb(1000, 1, 1000), 1000), new Uint8Array(1000).fill(0x41));
    });
  }
});

Deno.test("zstd in WASM takes no memory for what a bomb would make", async () => {
  const fresh = await WasmZstd.load();
  await rejects(async () => await codecOf(fresh).decode(bomb(1000, 100_000, 128 * KIB), 1000), isDamaged);
  ok(fresh.memoryBytes > 0 && fresh.memoryBytes <= 4 * MIB, `${fresh.memoryBytes} bytes`);
});

Deno.test("zstd: any damage gives the right length or `data_damaged`, never anything else", async () => {
  const plain = mixed(5000);
  const byteAndBit = fc.tuple(fc.nat(), fc.nat(7));
  for (const zstd of implementations) {
    const codec = codecOf(zstd);
    const encoded = await codec.encode(plain, 3);
    await fc.assert(
      fc.asyncProperty(fc.array(byteAndBit, { minLength: 1, maxLength: 4 }), async (flips) => {
        const damaged = encoded.slice();
        for (const [byte, bit] of flips) damaged[byte % damaged.length] ^= 1 << bit;
        try {
          strictEqual((await codec.decode(damaged, plain.length)).length, plain.length);
        } catch (error) {
          ok(isDamaged(error), String(error));
        }
      }),
      { numRuns: 300 },
    );
  }
});

Deno.test("zstd: each result has a buffer of its own, so that it can be freed", async (t) => {
  for (const zstd of implementations) {
    await t.step(zstd.implementation, async () => {
      const codec = codecOf(zstd);
      const [a, b] = [await codec.encode(FOX, 3), await codec.encode(FOX, 3)];
      notStrictEqual(a.buffer, b.buffer);
      free(a);
      const [c, d] = [await codec.decode(b, FOX.length), await codec.decode(b, FOX.length)];
      free(c);
      free(b);
      deepStrictEqual(d, FOX);
    });
  }
});

Deno.test("zstd: levels that do not exist are refused", () => {
  for (const level of [0, 23, -1, 1.5, NaN]) throws(() => zstdCodec().encode(FOX, level), RangeError);
});

Deno.test("zstd: a failing implementation is `codec_failed`, and synchronous once loaded", async () => {
  const failing: Zstd = {
    implementation: "wasm",
    compress: (plain, level) => {
      if (level === 22) throw new Error("out of memory");
      return plain;
    },
    decompress: (stored) => stored,
  };
  const codec = codecOf(failing);
  await rejects(async () => await codec.encode(FOX, 22), { kind: "codec_failed", message: /level 22: out of memory/ });
  ok(codec.encode(FOX, 1) instanceof Uint8Array, "no promise after the first call");
});

Deno.test("canReplaceWasm() judges by behaviour", async (t) => {
  const cases: { name: string; zstd: Zstd; can: boolean }[] = [
    { name: "a whole implementation", zstd: wasm, can: true },
    { name: "ignores levels", zstd: { ...bind(wasm), compress: (plain) => wasm.compress(plain, 3) }, can: false },
    {
      name: "throws at levels",
      zstd: {
        ...bind(wasm),
        compress: () => {
          throw new TypeError("ERR_ZSTD_INVALID_PARAM is not a constructor");
        },
      },
      can: false,
    },
    {
      name: "leaves the content size out",
      zstd: {
        ...bind(wasm),
        compress: (plain, level) => {
          const frame = wasm.compress(plain, level);
          return concat([frame.subarray(0, 4), Uint8Array.of(0, 0x58), frame.subarray(7)]);
        },
      },
      can: false,
    },
    { name: "decodes to something else", zstd: { ...bind(wasm), decompress: (_, n) => new Uint8Array(n) }, can: false },
    { name: "is absent", zstd: new NodeZstd({} as NodeZstd["zlib"]), can: false },
  ];
  for (const { name, zstd, can } of cases) await t.step(name, () => strictEqual(canReplaceWasm(zstd), can));
});

function bind(zstd: Zstd): Zstd {
  return {
    implementation: zstd.implementation,
    compress: (plain, level) => zstd.compress(plain, level),
    decompress: (stored, plainLength) => zstd.decompress(stored, plainLength),
  };
}

Deno.test("an implementation that returns another length is not believed", async () => {
  for (const length of [0, FOX.length - 1, FOX.length + 1]) {
    const codec = codecOf({ ...bind(wasm), decompress: () => new Uint8Array(length) });
    await rejects(async () => await codec.decode(BY_PROGRAM.level3, FOX.length), isDamaged);
  }
});

Deno.test("loadZstd() takes native code where it can, and always the same one", async () => {
  const zstd = await loadZstd();
  const [major, minor] = Deno.version.deno.split(".").map(Number);
  strictEqual(zstd.implementation, major > 2 || minor >= 7 ? "native" : "wasm", `Deno ${Deno.version.deno}`);
  strictEqual(zstd.implementation, implementations[0].implementation);
  strictEqual(await loadZstd(), zstd);
});

Deno.test("zstd in WASM needs no permission in a worker", async () => {
  const code = `
    const { WasmZstd } = await import(${JSON.stringify(new URL("./zstd_wasm.ts", import.meta.url).href)});
    const wasm = await WasmZstd.load();
    self.postMessage(wasm.compress(new Uint8Array(1000), 3).length);`;
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(code)}`, {
    type: "module",
    deno: { permissions: "none" },
  });
  const length = await new Promise((resolve, reject) => {
    worker.onmessage = (event) => resolve(event.data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
  }).finally(() => worker.terminate());
  ok(Number(length) > 0 && Number(length) < 100, `${length} bytes`);
});

Deno.test("none: identity without a copy, of exactly the right length", () => {
  const codec = noneCodec();
  strictEqual(codec.encode(FOX, 0), FOX);
  strictEqual(codec.decode(FOX, FOX.length), FOX);
  for (const length of [0, FOX.length - 1, FOX.length + 1]) throws(() => codec.decode(FOX, length), isDamaged);
});
