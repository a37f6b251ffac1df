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
  fc.record({ elements: fc.array(fc.oneof(id, fc.record({ hole: digits, later: name }))), later: name }),
  fc.record({ elements: fc.array(fc.record({ hole: digits, later: name })) }),
  fc.record({ kind: fc.constant("plain" as const), elements: fc.array(id) }),
  fc.record({ nodes: fc.array(id), depth: fc.constant(2) }),
);
/** What every entry has. A member that is undefined would still be one: what may be missing has to be left out. */
const required = {
  name,
  type: fc.constantFrom("file", "dir", "symlink", "fifo", "chardev"),
  mode: fc.nat(0o7777),
  uid: fc.nat(),
  gid: fc.nat(),
  mtime: digits,
  ctime: digits,
  inode: digits,
};
const usual = {
  ...required,
  user: name,
  group: name,
  size: digits,
  device: digits,
  links: fc.nat(),
  target: name,
  content,
  subtree: id,
};
const unusual = { ...usual, rdev: fc.tuple(fc.nat(), fc.nat()), later: name };
const requiredKeys = Object.keys(required) as (keyof typeof required)[];
const entry = fc.oneof(fc.record(usual, { requiredKeys }), fc.record(unusual, { requiredKeys }));

Deno.test("entryText() is the canonical JSON of every entry", () => {
  fc.assert(
    fc.property(entry, (value) => {
      strictEqual(entryText(value as unknown as Entry), canonicalJson(value as unknown as Json));
    }),
    { numRuns: 500 },
  );
});
