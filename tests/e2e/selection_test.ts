/** What is saved and how: flags, configuration, lists and streams, in the program as people run it. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { noise, writeFiles } from "../faults/source_folder.ts";
import { type Ended, type Machine, onMachine } from "./program.ts";

const windows = Deno.build.os === "windows";
const CACHE_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n";

async function succeeds(machine: Machine, ...args: string[]): Promise<Ended> {
  const ended = await machine.run(args);
  equal(ended.code, 0, ended.stderr);
  return ended;
}

/** Files of the newest snapshot, without the folders above the source. */
async function saved(machine: Machine): Promise<string[]> {
  const list = (await succeeds(machine, "ls", "latest", "--json")).json();
  const source = `${machine.path("source")}/`;
  return list.filter(({ type }: { type: string }) => type === "file").map(({ path }: { path: string }) =>
    path.replace(source, "")
  );
}

function writeSource(machine: Machine): void {
  writeFiles(machine.path("source"), {
    "a.txt": "a",
    "b.o": "b",
    "PHOTO.JPG": "p",
    "build/out": "x",
    "cache/CACHEDIR.TAG": CACHE_TAG,
    "cache/data": "x",
    "keep/.nobackup": "",
    "keep/data": "x",
    "large": "x".repeat(3000),
    "sub/b.o": "b",
    "sub/build/c": "c",
  });
}

const ALL = [
  "PHOTO.JPG",
  "a.txt",
  "b.o",
  "build/out",
  "cache/CACHEDIR.TAG",
  "cache/data",
  "keep/.nobackup",
  "keep/data",
  "large",
  "sub/b.o",
  "sub/build/c",
];

Deno.test(
  "what is left out",
  onMachine(async (machine, t) => {
    writeSource(machine);
    await Deno.writeTextFile(machine.path("excludes"), "# objects\n*.o\n!/b.o\n");
    await succeeds(machine, "init");
    const without = (...names: string[]) => ALL.filter((name) => !names.includes(name));
    const cases: { flags: string[]; saved: string[] }[] = [
      { flags: [], saved: ALL },
      { flags: ["--exclude", "*.o"], saved: without("b.o", "sub/b.o") },
      { flags: ["-e", "/build"], saved: without("build/out") },
      { flags: ["-e", `${machine.path("source")}/build`], saved: without("build/out") },
      { flags: ["-e", "*", "-e", "!a.txt"], saved: ["a.txt"] },
      { flags: ["--iexclude", "*.jpg"], saved: without("PHOTO.JPG") },
      { flags: ["--exclude-file", "excludes"], saved: without("sub/b.o") },
      { flags: ["--exclude-file", "excludes", "-e", "b.o"], saved: without("b.o", "sub/b.o") },
      { flags: ["--exclude-caches"], saved: without("cache/data") },
      { flags: ["--exclude-if-present", ".nobackup"], saved: without("keep/data") },
      { flags: ["--exclude-larger-than", "2999"], saved: without("large") },
      { flags: ["-x"], saved: ALL },
    ];
    for (const { flags, saved: expected } of cases) {
      await t.step(flags.join(" ") || "nothing", async () => {
        await succeeds(machine, "backup", "source", ...flags);
        deepEqual(await saved(machine), expected);
      });
    }
  }),
);

Deno.test(
  "the configuration says it, flags add to its patterns and win over the rest",
  onMachine(async (machine, t) => {
    writeSource(machine);
    await Deno.writeTextFile(
      machine.path("axiom.yaml"),
      `repository:
  location: ./elsewhere
backup:
  paths: [source]
  exclude: ["*.o"]
  tags: [configured]
  host: \${NAME:-nobody}
profiles:
  night:
    backup: { mode: full, tags: [night] }
`,
    );
    const env = { AXIOM_REPOSITORY: "" };
    const run = async (args: string[], more: Record<string, string> = {}) => {
      const ended = await machine.run(args, { env: { ...env, ...more } });
      equal(ended.code, 0, ended.stderr);
      return ended;
    };
    await run(["init"]);
    ok(Deno.lstatSync(machine.path("elsewhere", "config")).isDirectory);
    const newest = async () => (await run(["snapshots", "--json"])).json().at(-1);
    await t.step("the file", async () => {
      await run(["backup"]);
      const { host, tags, mode, paths } = await newest();
      deepEqual([host, tags, mode, paths], ["nobody", ["configured"], "incremental", [machine.path("source")]]);
    });
    await t.step("its patterns and those of flags", async () => {
      await run(["backup", "-e", "*.txt"]);
      const { stdout } = await run(["ls", `latest:${machine.path("source")}`]);
      deepEqual([/b\.o/.test(stdout), /a\.txt/.test(stdout), /large/.test(stdout)], [false, false, true]);
    });
    await t.step("profile < environment < flag", async () => {
      const more = { AXIOM_ENV: "night", NAME: "me", AXIOM_CONFIG_BACKUP_HOST: "variable" };
      await run(["backup"], more);
      let { host, tags, mode } = await newest();
      deepEqual([host, tags, mode], ["variable", ["night"], "full"]);
      await run(["backup", "--host", "flag", "--tag", "x", "--mode", "incremental"], more);
      ({ host, tags, mode } = await newest());
      deepEqual([host, tags, mode], ["flag", ["x"], "incremental"]);
    });
    await t.step("config show tells where each comes from", async () => {
      const { options, files } = (await run(["config", "show", "--json"], { AXIOM_ENV: "night" })).json();
      deepEqual(files, ["axiom.yaml"]);
      deepEqual(options["backup.mode"], { value: "full", origin: "axiom.yaml:10:21" });
      deepEqual(options["backup.force"], { value: false, origin: "default" });
    });
    await t.step("output.json", async () => {
      const list = (await run(["snapshots"], { AXIOM_CONFIG_OUTPUT_JSON: "true" })).json();
      equal(list.length, 4);
    });
  }),
);

Deno.test(
  "lists of sources",
  onMachine(async (machine) => {
    writeSource(machine);
    await succeeds(machine, "init");
    await Deno.writeTextFile(machine.path("list"), "# two\nsource/a.txt\n  source/sub/*.o  \n");
    await succeeds(machine, "backup", "--files-from", "list");
    deepEqual(await saved(machine), ["a.txt", "sub/b.o"]);
    const raw = machine.run(["backup", "--files-from-raw", "-"], { stdin: "source/large\0source/b.o\0" });
    equal((await raw).code, 0, (await raw).stderr);
    deepEqual(await saved(machine), ["b.o", "large"]);
    const cut = await machine.run(["backup", "--files-from-raw", "-"], { stdin: "source/large\0source/b" });
    deepEqual([cut.code, /cut off/.test(cut.stderr)], [2, true]);
  }),
);

Deno.test({
  name: "(38) streams, and producers that fail",
  ignore: windows,
  fn: onMachine(async (machine, t) => {
    await succeeds(machine, "init");
    const data = noise("stdin", 5_000_000);
    await t.step("stdin", async () => {
      const ended = await machine.run(["backup", "--stdin", "--stdin-filename", "db/x"], { stdin: data });
      equal(ended.code, 0, ended.stderr);
      deepEqual((await succeeds(machine, "dump", "latest:/db/x")).bytes, data);
    });
    await t.step("a command", async () => {
      const { stdout } = await succeeds(machine, "backup", "--stdin-from-command", "--", "printf", "%s", "a  b", "-q");
      match(stdout, /^Saved snapshot/);
      equal((await succeeds(machine, "dump", "latest:/stdin")).stdout, "a  b-q");
    });
    const cases: [name: string, args: string[], code: number, stderr: RegExp][] = [
      ["fails at its end", ["--stdin-from-command", "--", "sh", "-c", "echo half; exit 4"], 1, /the exit code 4/],
      ["is killed", ["--stdin-from-command", "--", "sh", "-c", "echo half; kill -9 $$"], 1, /SIGKILL/],
      ["does not exist", ["--stdin-from-command", "--", "/no/such"], 1, /Cannot run \/no\/such/],
      ["nothing on stdin", ["--stdin"], 1, /nothing came from it/],
    ];
    for (const [name, args, code, stderr] of cases) {
      await t.step(name, async () => {
        const ended = await machine.run(["backup", ...args]);
        equal(ended.code, code);
        match(ended.stderr, stderr);
        match(ended.stderr, /[Nn]o snapshot was made/);
        equal((await succeeds(machine, "snapshots", "--json")).json().length, 2);
      });
    }
  }),
});

Deno.test(
  "a dry run stores nothing, and says what would be",
  onMachine(async (machine) => {
    writeSource(machine);
    await succeeds(machine, "init");
    const before = JSON.stringify(tree(machine.repository));
    const { stdout } = await succeeds(machine, "backup", "source", "--dry-run");
    match(stdout, /^Nothing was stored: this was a dry run\nFiles: +11 new/);
    equal(JSON.stringify(tree(machine.repository)), before);
    await succeeds(machine, "backup", "source");
    const dry = await succeeds(machine, "restore", `latest:${machine.path("source")}`, "-t", "out", "-n");
    match(dry.stdout, /^Would restore 1[01] files/);
    equal([...Deno.readDirSync(machine.folder)].some(({ name }) => name === "out"), false);
  }),
);

function tree(folder: string): unknown {
  return [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1).map(({ name, isDirectory }) =>
    isDirectory ? [name, tree(`${folder}/${name}`)] : [name, Deno.lstatSync(`${folder}/${name}`).size]
  );
}
