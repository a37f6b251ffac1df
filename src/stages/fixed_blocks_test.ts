import { ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { GIB, KIB, MIB } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import { fixedBlockBytes, isFixedBlockBytes } from "./fixed_blocks.ts";

Deno.test("fixedBlockBytes() grows with the file so that the index stays small", async (t) => {
  const cases: { name: string; size: number; recorded?: number; expected: number }[] = [
    { name: "empty", size: 0, expected: 16 * KIB },
    { name: "1 GiB", size: GIB, expected: 16 * KIB },
    { name: "one byte more", size: GIB + 1, expected: 32 * KIB },
    { name: "2 GiB", size: 2 * GIB, expected: 32 * KIB },
    { name: "one byte more than 2 GiB", size: 2 * GIB + 1, expected: 64 * KIB },
    { name: "64 GiB, 2^20 blocks", size: 64 * GIB, expected: 64 * KIB },
    { name: "one byte more than 64 GiB", size: 64 * GIB + 1, expected: 128 * KIB },
    { name: "1 TiB", size: 1024 * GIB, expected: MIB },
    { name: "4 TiB", size: 4096 * GIB, expected: 4 * MIB },
    { name: "beyond what a frame holds", size: 100_000 * GIB, expected: 4 * MIB },
    { name: "recorded, grown over a border", size: GIB + 1, recorded: 16 * KIB, expected: 16 * KIB },
    { name: "recorded, shrunk", size: MIB, recorded: 128 * KIB, expected: 128 * KIB },
    { name: "recorded, at most four times as many", size: 2 * GIB + 1, recorded: 16 * KIB, expected: 16 * KIB },
    { name: "recorded, grown too far", size: 65 * GIB, recorded: 16 * KIB, expected: 128 * KIB },
    { name: "recorded, not to be cut", size: MIB, recorded: 5000, expected: 16 * KIB },
  ];
  for (const { name, size, recorded, expected } of cases) {
    await t.step(name, () => equal(fixedBlockBytes(size, recorded), expected));
  }
});

Deno.test("fixedBlockBytes() never gives a block that cannot be cut, nor too many of them", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 2 ** 45, noNaN: true }), (size) => {
      const blockBytes = fixedBlockBytes(Math.floor(size));
      ok(isFixedBlockBytes(blockBytes));
      const blocks = Math.ceil(size / blockBytes);
      if (blockBytes < 64 * KIB) ok(blocks <= 2 ** 16);
      else if (blockBytes < LIMITS.framePlainBytesMax) ok(blocks <= 2 ** 20);
    }),
  );
});
