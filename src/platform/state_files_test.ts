import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { join } from "node:path";
import { utf8 } from "../base/bytes.ts";
import { openNewFile } from "./new_file.ts";
import { readBounded } from "./read_bounded.ts";
import { stateFiles } from "./state_files.ts";
import { cacheFolder, dataFolder, stateFolder } from "./user_folders.ts";

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("stateFiles() keeps small files, private and whole", () =>
  inFolder(async (folder) => {
    const files = stateFiles(join(folder, "state"));
    equal(await files.read("a/b"), undefined);
    await files.write("a/b", utf8("one"));
    await files.write("a/b", utf8("two"));
    deepEqual(await files.read("a/b"), utf8("two"));
    deepEqual(names(join(folder, "state", "a")), ["b"]);
    if (Deno.build.os !== "windows") {
      equal(Deno.lstatSync(join(folder, "state", "a", "b")).mode! & 0o777, 0o600);
      equal(Deno.lstatSync(join(folder, "state")).mode! & 0o777, 0o700);
    }
    await files.remove("a/b");
    await files.remove("a/b");
    equal(await files.read("a/b"), undefined);
    await Deno.writeTextFile(join(folder, "file"), "");
    await rejects(stateFiles(join(folder, "file")).write("a", utf8("x")));
  }));

Deno.test("user folders are those of XDG, or of the system", () => {
  const cases: [os: string, env: Record<string, string>, state: string | undefined, cache: string | undefined][] = [
    ["linux", {}, undefined, undefined],
    ["linux", { HOME: "/h" }, "/h/.local/state/axiom", "/h/.cache/axiom"],
    ["linux", { HOME: "/h", XDG_STATE_HOME: "/s", XDG_CACHE_HOME: "/c" }, "/s/axiom", "/c/axiom"],
    ["linux", { HOME: "/h", XDG_STATE_HOME: "" }, "/h/.local/state/axiom", "/h/.cache/axiom"],
    ["linux", { HOME: "/h", XDG_STATE_HOME: "s", XDG_CACHE_HOME: "./c" }, "/h/.local/state/axiom", "/h/.cache/axiom"],
    ["darwin", { HOME: "/h" }, "/h/Library/Application Support/axiom", "/h/Library/Caches/axiom"],
    ["windows", { USERPROFILE: "/u" }, "/u/AppData/Local/axiom", "/u/AppData/Local/axiom/cache"],
    ["windows", { LOCALAPPDATA: "/l" }, "/l/axiom", "/l/axiom/cache"],
  ];
  for (const [os, env, state, cache] of cases) {
    const variable = (name: string) => env[name];
    const slashed = (path: string | undefined) => path?.replaceAll("\\", "/");
    deepEqual([slashed(stateFolder(variable, os)), slashed(cacheFolder(variable, os))], [state, cache], os);
  }
});

Deno.test("what a person put into the program lies in the data folder", () => {
  const cases: [os: string, env: Record<string, string>, data: string | undefined][] = [
    ["linux", {}, undefined],
    ["linux", { HOME: "/h" }, "/h/.local/share/axiom"],
    ["linux", { HOME: "/h", XDG_DATA_HOME: "/d" }, "/d/axiom"],
    ["linux", { HOME: "/h", XDG_DATA_HOME: "d" }, "/h/.local/share/axiom"],
    ["darwin", { HOME: "/h" }, "/h/Library/Application Support/axiom"],
    ["windows", { LOCALAPPDATA: "/l" }, "/l/axiom"],
  ];
  for (const [os, env, data] of cases) {
    equal(dataFolder((name) => env[name], os)?.replaceAll("\\", "/"), data, os);
  }
});

Deno.test("readBounded() reads no more than it may", () =>
  inFolder(async (folder) => {
    const path = join(folder, "file");
    await Deno.writeTextFile(path, "x".repeat(200_000));
    equal((await readBounded(path, 10))?.length, 10);
    equal((await readBounded(path, 150_000))?.length, 150_000);
    equal((await readBounded(path, 1_000_000))?.length, 200_000);
    equal(await readBounded(join(folder, "gone"), 10), undefined);
    await rejects(readBounded(folder, 10));
  }));

Deno.test("openNewFile() names a file once it is whole, and replaces none", () =>
  inFolder(async (folder) => {
    const path = join(folder, "new");
    const file = await openNewFile(path);
    await file.write(utf8("con"));
    ok(!names(folder).includes("new"));
    await file.write(utf8("tent"));
    await file.commit();
    deepEqual([names(folder), Deno.readTextFileSync(path)], [["new"], "content"]);
    await rejects(openNewFile(path), Deno.errors.AlreadyExists);
    const late = await openNewFile(join(folder, "late"));
    await Deno.writeTextFile(join(folder, "late"), "faster");
    await rejects(late.commit(), Deno.errors.AlreadyExists);
    const given = await openNewFile(join(folder, "given up"));
    await given.write(utf8("x"));
    await given.abort();
    deepEqual([names(folder), Deno.readTextFileSync(join(folder, "late"))], [["late", "new"], "faster"]);
  }));
