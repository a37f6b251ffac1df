import { strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { canonicalJson, type Json } from "../base/canonical_json.ts";
import type { Entry } from "./entry.ts";
import { entryText } from "./entry_text.ts";

const id = fc.stringMatching(/^[0-9a-f]{64}$/);
const digits = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
const name = fc.oneof(
  fc.string({ minLength: 1 }),
  fc.string({ unit: "binary", minLength: 1 }),
  fc.constant('a\udcff\n"'),
);
const content = fc.oneof(
  fc.record({ elements: fc.array(fc.oneof(id, digits.map((hole) => ({ hole })))) }),
  fc.record({ kind: fc.constant("plain" as const), elements: fc.array(id) }),
  fc.record({ nodes: fc.array(id), depth: fc.constant(2) }),
);
const entry = fc.record({
  name,
  type: fc.constantFrom("file", "dir", "symlink", "fifo", "chardev"),
  mode: fc.nat(0o7777),
  uid: fc.nat(),
  gid: fc.nat(),
  mtime: digits,
  ctime: digits,
  inode: digits,
  user: fc.option(name, { nil: undefined }),
  group: fc.option(name, { nil: undefined }),
  size: fc.option(digits, { nil: undefined }),
  device: fc.option(digits, { nil: undefined }),
  links: fc.option(fc.nat(), { nil: undefined }),
  target: fc.option(name, { nil: undefined }),
  content: fc.option(content, { nil: undefined }),
  subtree: fc.option(id, { nil: undefined }),
  rdev: fc.option(fc.tuple(fc.nat(), fc.nat()), { nil: undefined }),
  later: fc.option(name, { nil: undefined }),
});

Deno.test("entryText() is the canonical JSON of every entry", () => {
  fc.assert(
    fc.property(entry, (value) => {
      strictEqual(entryText(value as unknown as Entry), canonicalJson(value as unknown as Json));
    }),
    { numRuns: 500 },
  );
});
