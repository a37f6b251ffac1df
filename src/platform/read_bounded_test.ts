import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import { readBounded } from "./read_bounded.ts";

Deno.test("readBounded() reads so much of a file, and nothing where there can be none", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/file`, "content");
    deepEqual(await readBounded(`${folder}/file`, 100), new TextEncoder().encode("content"));
    deepEqual(await readBounded(`${folder}/file`, 3), new TextEncoder().encode("con"));
    equal(await readBounded(`${folder}/gone`, 3), undefined);
    equal(await readBounded(`${folder}/file/below`, 3), undefined, "as in a home folder /dev/null");
    await rejects(readBounded(folder, 3), /^Error: a folder, not a file$/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
