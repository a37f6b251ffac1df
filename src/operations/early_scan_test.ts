import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import type { FileSystem } from "../platform/file_system.ts";
import { openFileSystem } from "../platform/open_file_system.ts";
import type { PackedFolder } from "../platform/packed_folder.ts";
import { EarlyScan } from "./early_scan.ts";
import type { SavePolicy } from "./save_policy.ts";

const real = openFileSystem();

/** The real file system, which tells what it was asked for. */
function watched(asked: string[], onLook: () => void = () => {}): FileSystem {
  const packed = (folder: string): PackedFolder | undefined => {
    asked.push(folder);
    onLook();
    return real.packed!(folder);
  };
  return new Proxy(real, { get: (system, key) => key === "packed" ? packed : Reflect.get(system, key, system) });
}

const policy = (unchanged: SavePolicy["unchanged"], left: string[] = []): Pick<SavePolicy, "unchanged" | "select"> => ({
  unchanged,
  select: (path: string) => left.some((end) => path.endsWith(end)) ? "exclude" : "save",
});

async function withFolders(use: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    for (const path of ["b/one", "a/two", "a/skip/deep", "é"]) await Deno.mkdir(`${root}/${path}`, { recursive: true });
    await Deno.writeTextFile(`${root}/a/file`, "text");
    await use(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const ignore = real.packed === undefined;

Deno.test({
  name: "folders are looked at in the order of their names, and given once",
  ignore,
  fn: () =>
    withFolders(async (root) => {
      const asked: string[] = [];
      const scan = new EarlyScan(watched(asked), "5");
      await scan.run([`${root}/a`, `${root}/missing`, `${root}/a/file`, root], policy("as_it_is"));
      const inA = ["/a", "/a/skip", "/a/skip/deep", "/a/two"];
      const all = [...inA, "/missing", "/a/file", "", ...inA, "/b", "/b/one", "/é"];
      deepEqual(asked, all.map((path) => root + path));
      equal(scan.take(`${root}/a`)?.count, 3);
      equal(scan.take(`${root}/a`), undefined);
      equal(scan.take(`${root}/missing`), undefined);
      equal(scan.startedNs, "5");
    }),
});

Deno.test({
  name: "what is not saved is not looked at; where more is asked of entries, nothing is",
  ignore,
  fn: () =>
    withFolders(async (root) => {
      for (
        const [unchanged, expected] of [["selected", ["", "/a", "/a/two", "/b", "/b/one", "/é"]], [
          "one_by_one",
          [],
        ]] as const
      ) {
        const asked: string[] = [];
        await new EarlyScan(watched(asked), "5").run([root], policy(unchanged, ["/skip"]));
        deepEqual(asked, expected.map((path) => root + path));
      }
    }),
});

Deno.test({
  name: "it stops when it is told to, and lets others work meanwhile",
  ignore,
  fn: () =>
    withFolders(async (root) => {
      const asked: string[] = [];
      const scan = new EarlyScan(watched(asked, () => asked.length === 3 && scan.stop()), "5");
      await scan.run([root], policy("as_it_is"));
      equal(asked.length, 3);
      let turns = 0;
      const timer = setInterval(() => turns++, 1);
      const until = performance.now() + 50;
      await new EarlyScan(watched([]), "5").run(Array.from({ length: 3000 }, () => root), policy("as_it_is"));
      clearInterval(timer);
      ok(turns > 0 || performance.now() < until, `${turns} turns`);
    }),
});
