/** Commands that mend a repository, clear the cache and take single files out, as people and scripts call them. */
import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { join } from "node:path";
import { noise, writeFiles } from "../faults/source_folder.ts";
import { type Ended, type Machine, onMachine } from "./program.ts";

async function saved(machine: Machine): Promise<string> {
  const source = machine.path("source");
  writeFiles(source, { "a": noise("a", 300_000), "sub/b": "text of b" });
  equal((await machine.run(["init", "-q"])).code, 0);
  equal((await machine.run(["backup", "-q", source])).code, 0);
  return source;
}

function objects(machine: Machine, kind: string): string[] {
  const visit = (folder: string): string[] =>
    [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
      isDirectory ? visit(join(folder, name)) : [join(folder, name)]
    );
  return visit(join(machine.repository, kind)).sort();
}

/** The one pack: mostly content, so its middle is. */
function spoil([path]: string[]): void {
  Deno.chmodSync(path, 0o600);
  const data = Deno.readFileSync(path);
  data[data.length >> 1] ^= 1;
  Deno.writeFileSync(path, data);
}

function ends(ended: Ended, code: number, stdout: RegExp): Ended {
  equal(ended.code, code, ended.stderr + ended.stdout);
  match(ended.stdout, stdout);
  return ended;
}

Deno.test(
  "repair index: says what it would do, does it, and then there is nothing to do",
  onMachine(async (machine, t) => {
    await saved(machine);
    const repair = (...flags: string[]) => machine.run(["repair", "index", ...flags]);
    for (const path of objects(machine, "index")) Deno.removeSync(path);
    await t.step("dry", async () => {
      ends(await repair("--dry-run"), 0, /^1 pack would be added to the index$/m);
      deepEqual(objects(machine, "index"), []);
    });
    await t.step("done", async () => {
      ends(await repair(), 0, /^1 pack added to the index\nWrote 1 index object, removed 0$/m);
      equal(objects(machine, "index").length, 1);
    });
    await t.step("again", async () => void ends(await repair(), 0, /^The index is right: nothing to do$/m));
    await t.step("an index object that is damaged is set aside", async () => {
      spoil(objects(machine, "index"));
      ends(await repair("-n"), 0, /^index\/[0-9a-f]{64} would be set aside: /m);
      const summary = (await repair("--json")).last();
      equal(summary.type, "summary");
      deepEqual([summary.packs_added, summary.indexes_written, summary.packs], [1, 1, null]);
      match(summary.set_aside[0].aside_key, /^damaged\//);
    });
    await t.step("a pack that is damaged is found where all is read", async () => {
      spoil(objects(machine, "packs"));
      ends(await repair(), 0, /nothing to do$/m);
      ends(await repair("--read-data", "--dry-run"), 0, /^Damaged pack [0-9a-f]{64}: \d+ chunks lost, \d+ whole$/m);
      const { packs } = (await repair("--read-data", "--json")).last();
      deepEqual([packs.damaged.length, packs.damaged[0].chunks_lost > 0], [1, true]);
      ends(await repair("--read-data"), 0, /no damage found$/m);
    });
  }),
);

Deno.test(
  "repair snapshots: a new one without what is lost, and 13 while nothing can be saved",
  onMachine(async (machine, t) => {
    const source = await saved(machine);
    const repair = (...flags: string[]) => machine.run(["repair", "snapshots", ...flags]);
    const list = async () => (await machine.run(["snapshots", "--json"])).json();
    const [{ id }] = await list();
    await t.step(
      "nothing is lost",
      async () => void ends(await repair(), 0, /^1 snapshot checked, none lost anything$/m),
    );
    spoil(objects(machine, "packs"));
    equal((await machine.run(["repair", "index", "--read-data"])).code, 0);
    await t.step("dry", async () => {
      const { stdout } = ends(await repair("--dry-run"), 0, /^1 snapshot checked, 1 lost something$/m);
      match(stdout, new RegExp(`^${id.slice(0, 8)}: would be without\n  ${source}/a \\(file\\): `, "m"));
      equal((await list()).length, 1);
    });
    await t.step("files that are kept", async () => void ends(await repair("--keep-files"), 0, /none lost anything$/m));
    await t.step("--forget", async () => {
      const { repairs, dry_run } = (await repair("--forget", "--json", id.slice(0, 8))).last();
      deepEqual([dry_run, repairs.length, repairs[0].snapshot_id, repairs[0].forgotten], [false, 1, id, true]);
      deepEqual(repairs[0].dropped.map((part: { path: string }) => part.path).sort(), [
        `${source}/a`,
        `${source}/sub/b`,
      ]);
      const [left, ...more] = await list();
      deepEqual([left.id, left.tags, more], [repairs[0].new_snapshot_id, ["repaired"], []]);
      equal((await machine.run(["check"])).code, 0);
    });
    await t.step("a manifest that is damaged", async () => {
      spoil(objects(machine, "snapshots").filter((path) => !path.endsWith(".ok")));
      ends(await repair(), 13, /: nothing can be saved: .*; --forget sets it aside$/m);
      ends(await repair("--forget"), 0, /; what is left of it is now damaged\/\S+ and damaged\/\S+$/m);
      deepEqual(await list(), []);
      ends(await repair(), 0, /^0 snapshots checked, none lost anything$/m);
    });
    await t.step("one that is not there", async () => {
      const ended = await repair("12345678");
      equal(ended.code, 1);
      match(ended.stderr, /12345678/);
    });
  }),
);

Deno.test(
  "cache clear: removes what it knows to be a cache, and nothing else",
  onMachine(async (machine, t) => {
    await saved(machine);
    const cache = machine.path("cache");
    const run = (...args: string[]) => machine.run(["--cache-dir", cache, ...args]);
    equal((await run("find", "a")).code, 0);
    const [{ repository_id: id }] = (await run("cache", "list", "--json")).json().repositories;
    const other = "0123456789abcdef0123456789abcdef";
    await t.step(
      "of another repository",
      async () => void ends(await run("cache", "clear", other), 0, /^Nothing to remove in /),
    );
    await t.step("of what is no repository", async () => {
      const ended = await run("cache", "clear", "../x");
      equal(ended.code, 2);
      match(ended.stderr, /"\.\.\/x": that is no id of a repository\n {2}hint: `axiom cache list`/);
    });
    await t.step("of this one", async () => {
      match((await run("cache", "clear", id)).stdout, new RegExp(`^Removed .* that was cached of ${id}\n$`));
      deepEqual((await run("cache", "list", "--json")).json().repositories, []);
    });
    await t.step("all, as JSON", async () => {
      equal((await run("find", "a")).code, 0);
      const { removed } = (await run("cache", "clear", "--json")).json();
      deepEqual(removed.map((each: { repository_id: string }) => each.repository_id), [id]);
      ok(removed[0].size > 0);
    });
    await t.step("a folder that does not say that it is a cache", async () => {
      writeFiles(machine.folder, { [`photos/${other}/photo`]: "photo" });
      const ended = await machine.run(["--cache-dir", "photos", "cache", "clear"]);
      equal(ended.code, 2);
      match(ended.stderr, /it has no CACHEDIR\.TAG, so it may be no cache\n {2}hint: /);
      equal(Deno.readTextFileSync(machine.path(`photos/${other}/photo`)), "photo");
    });
    await t.step("none in use", async () => {
      const ended = await machine.run(["--no-cache", "cache", "clear"]);
      equal(ended.code, 2);
      match(ended.stderr, /none is in use\n {2}hint: .*--cache-dir/);
    });
  }),
);

Deno.test(
  "dump: to the output or to a new file, and never over another one",
  onMachine(async (machine, t) => {
    const source = await saved(machine);
    const file = `latest:${source}/a`, out = machine.path("out");
    const dump = (...args: string[]) => machine.run(["dump", ...args]);
    const fails = async (code: number, stderr: RegExp, ...args: string[]) => {
      const ended = await dump(...args);
      equal(ended.code, code, ended.stderr);
      match(ended.stderr, stderr);
      equal(ended.stdout.includes("Wrote"), false);
    };
    await t.step("to the output", async () => deepEqual((await dump(file)).bytes, Deno.readFileSync(`${source}/a`)));
    await t.step("to a file", async () => {
      ends(await dump("-o", out, file), 0, /^Wrote 293 KiB to .*out\n$/);
      deepEqual(Deno.readFileSync(out), Deno.readFileSync(`${source}/a`));
    });
    await t.step("quietly", async () => void ends(await dump("-q", "-o", machine.path("quiet"), file), 0, /^$/));
    await t.step("with JSON", async () => {
      const told = (await dump("--json", "-o", machine.path("tar"), "--archive", "tar", file)).json();
      deepEqual([told.format, told.output, told.bytes], ["tar", machine.path("tar"), 307200]);
      await fails(2, /Cannot print content and JSON at once\n {2}hint: .*--output/, "--json", file);
    });
    await t.step("where something is already", async () => {
      await fails(
        1,
        /Cannot write .*out: it exists already\n {2}hint: .*--output/,
        "-o",
        out,
        `latest:${source}/sub/b`,
      );
      deepEqual(Deno.readFileSync(out), Deno.readFileSync(`${source}/a`));
    });
    await t.step("where no file can be", () => fails(1, /Cannot write .*\n {2}hint: .*--output/, "-o", "none/x", file));
    await t.step(
      "what the snapshot does not have",
      () => fails(1, /has no "gone"\n {2}hint: /, `latest:${source}/gone`),
    );
    await t.step("what is damaged leaves no file", async () => {
      spoil(objects(machine, "packs"));
      const before = [...Deno.readDirSync(machine.folder)].length;
      await fails(13, /Cannot read .*\n {2}hint: /, "-o", machine.path("damaged"), file);
      equal([...Deno.readDirSync(machine.folder)].length, before);
    });
  }),
);
