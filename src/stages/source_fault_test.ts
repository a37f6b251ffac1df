import { deepStrictEqual as deepEqual } from "node:assert/strict";
import { SystemError } from "../platform/file_system.ts";
import { sourceFault } from "./source_fault.ts";

const CASES: [code: string, kind: string, message: string, hasHint: boolean][] = [
  ["ENOENT", "source_changed", "Cannot read /a: it vanished", false],
  ["EACCES", "source_unreadable", "Cannot read /a: open /a: EACCES", false],
  ["ENAMETOOLONG", "source_unreadable", "Cannot read /a: this system opens no path that is so long", true],
];

Deno.test("why a file of a source cannot be saved", async (t) => {
  for (const [code, ...expected] of CASES) {
    await t.step(code, () => {
      const { kind, message, hint } = sourceFault("/a", new SystemError(code, "open", "/a"));
      deepEqual([kind, message, hint !== undefined], expected);
    });
  }
});
