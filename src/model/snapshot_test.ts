import { deepStrictEqual as deepEqual, match, strictEqual as equal, throws } from "node:assert/strict";
import { encodeJson, type Json } from "../base/canonical_json.ts";
import { utf8 } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { storedSnapshot } from "../../tests/fixtures/memory_trees.ts";
import { decodeSnapshot } from "./snapshot.ts";

const { snapshot } = storedSnapshot({});
const encoded = (changes: Record<string, unknown>) => encodeJson({ ...snapshot, ...changes } as unknown as Json);

Deno.test("decodeSnapshot() gives back what was stored, members of later versions too", () => {
  deepEqual(decodeSnapshot(encoded({ later: { a: 1 } }), "x"), { ...snapshot, later: { a: 1 } });
});

Deno.test("decodeSnapshot() says that a later version needs a later program", () => {
  throws(() => decodeSnapshot(encoded({ version: 2 }), "x"), (error) => {
    equal((error as AxiomError).kind, "repository_unsupported");
    return true;
  });
});

Deno.test("decodeSnapshot() refuses what no writer makes", async (t) => {
  const cases: [name: string, data: Uint8Array][] = [
    ["not JSON", utf8("{")],
    ["nothing", utf8("null")],
    ["a root that is no id", encoded({ root: "../x" })],
    ["no client", encoded({ client: 7 })],
    ["a time in words", encoded({ time: "yesterday" })],
    ["a time beyond the format", encoded({ finished: "9".repeat(21) })],
    ["paths that are no list", encoded({ paths: "/" })],
    ["a tag that is no text", encoded({ tags: [1] })],
    ["a mode that nobody knows", encoded({ mode: "sideways" })],
    ["a sequence that is no number", encoded({ sequence: "1" })],
    ["no statistics", encoded({ statistics: null })],
    ["plugins that are no list", encoded({ plugins: {} })],
  ];
  for (const [name, data] of cases) {
    await t.step(name, () => {
      throws(() => decodeSnapshot(data, "0123"), (error) => {
        equal((error as AxiomError).kind, "data_damaged");
        match((error as AxiomError).message, /^Cannot read the snapshot 0123: /);
        return true;
      });
    });
  }
});
