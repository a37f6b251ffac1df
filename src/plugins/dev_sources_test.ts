import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import { dirname, join } from "node:path";
import { changedSource, namedSources, sourcesBelow } from "./dev_sources.ts";

async function inFolder(files: Record<string, string>, use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [path, text] of Object.entries(files)) {
      await Deno.mkdir(join(folder, dirname(path)), { recursive: true });
      await Deno.writeTextFile(join(folder, path), text);
    }
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("sources are what lies there but hidden files, what .gitignore names, and what is made", () => {
  const kept = ["main.zig", "plugin.yaml", "src/deep/lib.zig"];
  const left = [".gitignore", ".zig-cache/o", "target/debug/x", "node_modules/x/index.js", "a.log", "out.bin"];
  return inFolder(Object.fromEntries([...kept, ...left].map((path) => [path, "target/\n*.log\n"])), async (folder) => {
    const sources = await sourcesBelow(folder, join(folder, "out.bin"));
    deepEqual([...sources.keys()].sort(), kept.map((path) => join(folder, path)).sort());
  });
});

Deno.test("what changed, came or went is named", () =>
  inFolder({ a: "a", b: "b" }, async (folder) => {
    const look = () => sourcesBelow(folder, "");
    const first = await look();
    equal(changedSource(first, await look()), undefined);
    await Deno.writeTextFile(join(folder, "a"), "longer");
    equal(changedSource(first, await look()), join(folder, "a"));
    const second = await look();
    await Deno.writeTextFile(join(folder, "c"), "");
    equal(changedSource(second, await look()), join(folder, "c"));
    await Deno.remove(join(folder, "c"));
    await Deno.remove(join(folder, "b"));
    equal(changedSource(second, await look()), join(folder, "b"));
    const named = await namedSources([join(folder, "a"), join(folder, "b")]);
    deepEqual([...named.keys()], [join(folder, "a")]);
  }));

Deno.test("a folder that is not there cannot be watched", () =>
  inFolder({}, async (folder) => {
    await rejects(sourcesBelow(join(folder, "gone"), ""), { kind: "path_missing" });
  }));
