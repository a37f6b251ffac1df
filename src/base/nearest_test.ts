import { strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { editDistance, nearest } from "./nearest.ts";

const COMMANDS = ["backup", "restore", "snapshots", "stats", "check", "completion", "ls", "exclude_caches"];

Deno.test("nearest() finds what was meant, and nothing where nothing is near", async (t) => {
  const cases: [string, string | undefined][] = [
    ["bakcup", "backup"],
    ["backups", "backup"],
    ["Restore", "restore"],
    ["snap", "snapshots"],
    ["exclude-caches", "exclude_caches"],
    ["statss", "stats"],
    ["checksums", "check"],
    ["l", "ls"],
    ["xy", undefined],
    ["zz", undefined],
    ["delete_everything", undefined],
    ["", undefined],
    ["x".repeat(100_000), undefined],
  ];
  for (const [word, found] of cases) {
    await t.step(JSON.stringify(word.slice(0, 30)), () => equal(nearest(word, COMMANDS), found));
  }
  equal(nearest("res", ["restore", "restart"]), undefined, "two candidates begin with it");
  equal(nearest("any", []), undefined);
});

Deno.test("editDistance() counts a swap once, and is a symmetric distance", () => {
  equal(editDistance("bakcup", "backup"), 1);
  equal(editDistance("", "abc"), 3);
  equal(editDistance("kitten", "sitting"), 3);
  const word = fc.string({ maxLength: 12 });
  fc.assert(fc.property(word, word, (a, b) => {
    const distance = editDistance(a, b);
    return distance === editDistance(b, a) && (distance === 0) === (a === b) &&
      distance <= Math.max(a.length, b.length);
  }));
});
