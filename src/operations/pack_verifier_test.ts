import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import { LIMITS } from "../base/limits.ts";
import type { PackFrame } from "../model/pack_table.ts";
import { wholeSegments } from "./pack_verifier.ts";

function frameAt(offset: number, storedBytes: number): PackFrame {
  return { kind: 0, codec: 0, cipher: 1, offset, storedBytes, plainBytes: storedBytes, chunks: [] };
}

Deno.test("wholeSegments() covers every byte once, in order, and cuts no frame", () => {
  const part = fc.record({ gap: fc.nat(3 * 1024 * 1024), length: fc.nat(10 * 1024 * 1024), shuffle: fc.nat() });
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), fc.nat(20 * 1024 * 1024), (parts, rest) => {
      let end = 0;
      const placed = parts.map(({ gap, length, shuffle }) => {
        const frame = frameAt(end + gap, length);
        end += gap + length;
        return { frame, shuffle };
      });
      const frames = placed.sort((a, b) => a.shuffle - b.shuffle).map(({ frame }) => frame);
      const sizeBytes = end + rest;
      let at = 0;
      const seen: number[] = [];
      for (const segment of wholeSegments(frames, sizeBytes)) {
        deepEqual(segment.offset, at);
        at += segment.length;
        seen.push(...segment.frames);
        for (const number of segment.frames) {
          const { offset, storedBytes } = frames[number];
          ok(offset >= segment.offset && offset + storedBytes <= at, "a frame lies outside its segment");
        }
        const filled = segment.frames.filter((number) => frames[number].storedBytes > 0);
        ok(segment.length <= LIMITS.rangeBytesMax || filled.length <= 1, "too much is read at once");
      }
      deepEqual(at, sizeBytes);
      deepEqual(seen.sort((a, b) => a - b), [...frames.keys()]);
    }),
    { numRuns: 300 },
  );
});

Deno.test("wholeSegments() cuts no frame where one of no bytes begins with it", () => {
  deepEqual([...wholeSegments([frameAt(0, 10), frameAt(0, 0)], 12)], [
    { offset: 0, length: 10, frames: [0, 1] },
    { offset: 10, length: 2, frames: [] },
  ]);
});

Deno.test("wholeSegments() of a pack without frames is its padding, table and trailer", () => {
  const frames = [{ offset: 0, length: 100, frames: [] }];
  deepEqual([...wholeSegments([], 100)], frames);
  deepEqual([...wholeSegments([], 0)], []);
});
