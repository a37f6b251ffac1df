/** What a person must be told when they read or write what is not as it seems. */
import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { concat, utf8 } from "../../src/base/bytes.ts";
import { writeFiles } from "../faults/source_folder.ts";
import { onMachine } from "./program.ts";

Deno.test(
  "a snapshot that lacks something says so wherever it is read",
  onMachine(async (machine, t) => {
    const source = machine.path("source"), gone = machine.path("gone");
    writeFiles(source, { a: "a", "folder/b": "b" });
    equal((await machine.run(["init"])).code, 0);
    equal((await machine.run(["backup", source])).code, 0);
    ok(!(await machine.run(["snapshots"])).stdout.includes("Not saved"));
    equal((await machine.run(["backup", source, gone])).code, 3);
    await t.step("snapshots", async () => {
      const { stdout, stderr } = await machine.run(["snapshots"]);
      match(stdout, /Not saved\n.* 2 B\n.* 2 B +1\n2 snapshots\n1 not complete: `axiom ls --faults [0-9a-f]{8}` lists/);
      equal(stderr, "");
    });
    await t.step("ls --faults", async () => {
      const reason = `Cannot back up ${gone}: no such file or folder`;
      const text = await machine.run(["ls", "--faults", "latest"]);
      deepEqual([text.code, text.stdout, text.stderr], [0, `${reason}\n`, ""]);
      deepEqual((await machine.run(["ls", "--faults", "latest", "--json"])).json(), [{ path: gone, reason }]);
      equal((await machine.run(["ls", "--faults", `latest:${source}`])).stdout, "");
    });
    const incomplete = /warning: The snapshot [0-9a-f]{8} is not complete: 1 file or folder could not be saved/;
    for (
      const args of [
        ["ls", "latest"],
        ["dump", "latest", "-o", "archive.tar"],
        ["restore", "latest", "-t", "target"],
        ["restore", "latest", "-t", "target", "--dry-run"],
        ["diff", "latest", "latest"],
      ]
    ) {
      await t.step(args.join(" "), async () => {
        const { code, stderr } = await machine.run(args);
        equal(code, 0, stderr);
        match(stderr, incomplete);
      });
    }
    await t.step("check", async () => {
      const { code, stdout } = await machine.run(["check"]);
      equal(code, 0);
      match(stdout, /\n1 snapshot made without all of the source: `axiom snapshots` shows which\nNo damage found/);
    });
    await t.step("restore --json", async () => {
      const { stdout } = await machine.run(["restore", "latest", "-t", "target", "--json"]);
      const [first] = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
      deepEqual([first.type, first.code], ["warning", "snapshot_incomplete"]);
    });
    await t.step("a part that is complete", async () => {
      equal((await machine.run(["ls", `latest:${source}`])).stderr, "");
    });
  }),
);

Deno.test(
  "(2) wherever the latest is meant, a newer snapshot that lost its marker is told",
  onMachine(async (machine, t) => {
    const source = machine.path("source");
    writeFiles(source, { a: "a" });
    equal((await machine.run(["init"])).code, 0);
    equal((await machine.run(["backup", source])).code, 0);
    const lost = (await machine.run(["backup", source, "--json"])).last().snapshot_id;
    await Deno.remove(`${machine.repository}/snapshots/${lost}.ok`);
    const env = { HOME: machine.path("other home") };
    for (
      const words of [
        "snapshots",
        "restore latest -t target",
        "dump latest -o archive.tar",
        "ls latest",
        "diff latest latest",
        "find --snapshot latest a",
        "stats",
        "stats latest",
        "tag --add x latest",
      ]
    ) {
      await t.step(words, async () => {
        const { code, stderr } = await machine.run(words.split(" "), { env });
        equal(code, 0, stderr);
        match(
          stderr,
          new RegExp(`warning: The snapshot ${lost.slice(0, 8)} .* does not count.*axiom repair snapshots`),
        );
      });
    }
    equal((await machine.run(["repair", "snapshots"], { env })).code, 0);
    equal((await machine.run(["snapshots"], { env })).stderr, "");
  }),
);

Deno.test(
  "(8) a snapshot dated in the future is told, and is neither the latest nor the parent",
  onMachine(async (machine) => {
    const source = machine.path("source");
    writeFiles(source, { a: "a" });
    equal((await machine.run(["init"])).code, 0);
    const first = (await machine.run(["backup", source, "--json"])).last().snapshot_id;
    const future = await machine.run(["backup", source, "--time", "2900-01-01"]);
    match(future.stderr, /--time is in the future/);
    writeFiles(source, { b: "b" });
    const ahead = /1 snapshot is dated in the future, not the latest .*: [0-9a-f]{8} \(2900-01-01 00:00:00, /;
    match((await machine.run(["ls", `latest:${source}`])).stderr, ahead);
    const listed = await machine.run(["snapshots", "--json"]);
    match(listed.stderr, ahead);
    equal(listed.json().at(-1).id, first, "the last of the list is the latest");
    const next = await machine.run(["backup", source, "--json"]);
    const warning = JSON.parse(next.stdout.split("\n")[0]);
    deepEqual([warning.type, warning.code], ["warning", "snapshot_ahead"]);
    equal(next.last().parent_id, first);
    match((await machine.run(["ls", `latest:${source}`])).stdout, /\/b\n$/);
  }),
);

Deno.test(
  "what is empty or selects nothing, and an index that is gone, are told; nothing has failed",
  onMachine(async (machine, t) => {
    const source = machine.path("source");
    writeFiles(source, { a: "a", "folder/b": "b" });
    equal((await machine.run(["init"])).code, 0);
    equal((await machine.run(["backup", source])).code, 0);
    await t.step("no entry matches --include", async () => {
      for (const more of [[], ["--dry-run"]]) {
        const nothing = ["restore", "latest", "-t", "target", "-i", "nomatch/**", ...more];
        const { code, stderr } = await machine.run(nothing);
        equal(code, 0);
        match(stderr, /warning: Nothing of the snapshot is selected by --include nomatch\/\*\*\n$/);
      }
      equal((await machine.run(["restore", "latest", "-t", "target", "-i", "b"])).stderr, "");
      equal((await machine.run(["restore", "latest", "-t", "target", "-e", "nomatch"])).stderr, "");
    });
    await t.step("packs that no index names", async () => {
      ok(!(await machine.run(["check"])).stdout.includes("index"));
      for (const { name } of Deno.readDirSync(`${machine.repository}/index`)) {
        await Deno.remove(`${machine.repository}/index/${name}`, { recursive: true });
      }
      const { code, stdout } = await machine.run(["check"]);
      equal(code, 0);
      match(
        stdout,
        /\n\d+ packs? (is|are) in no index object, .*: nothing is lost; .* `axiom repair index` adds all\n/,
      );
      equal((await machine.run(["repair", "index"])).code, 0);
      ok(!(await machine.run(["check"])).stdout.includes("index"));
    });
    await t.step("a source that held files is empty", async () => {
      await Deno.remove(source, { recursive: true });
      await Deno.mkdir(source);
      const { code, stderr } = await machine.run(["backup", source]);
      equal(code, 0);
      match(stderr, /warning: .*\/source is empty, and the snapshot before had 2 files there: is it mounted\?\n/);
      equal((await machine.run(["backup", source])).stderr, "");
    });
  }),
);

Deno.test(
  "a dry run counts what the backup after it counts, empty files too",
  onMachine(async (machine) => {
    const source = machine.path("source");
    writeFiles(source, { a: "a", empty: "", filled: "" });
    equal((await machine.run(["init"])).code, 0);
    const counts = async (...args: string[]) => {
      const { files_new, files_changed, files_unmodified, files_processed } =
        (await machine.run(["backup", source, "--json", ...args])).last();
      return { files_new, files_changed, files_unmodified, files_processed };
    };
    const first = { files_new: 3, files_changed: 0, files_unmodified: 0, files_processed: 3 };
    deepEqual([await counts("--dry-run"), await counts()], [first, first]);
    writeFiles(source, { a: "", filled: "x", "new empty": "" });
    const second = { files_new: 1, files_changed: 2, files_unmodified: 1, files_processed: 4 };
    deepEqual([await counts("--dry-run"), await counts()], [second, second]);
    const full = { ...first, files_new: 4, files_processed: 4 };
    deepEqual(await counts("--dry-run", "--mode", "full"), full);
  }),
);

Deno.test(
  "profiles, by flag and by variable",
  onMachine(async (machine, t) => {
    const yaml = "backup: { host: file }\nprofiles:\n  night:\n    backup: { host: night, mdoe: full }\n";
    const cases: { args: string[]; env?: Record<string, string>; host?: string; stderr?: RegExp }[] = [
      { args: [], host: "file" },
      { args: ["--profile", "night"], host: "night" },
      { args: [], env: { AXIOM_ENV: "night" }, host: "night" },
      { args: ["--profile", "night"], env: { AXIOM_ENV: "other" }, host: "night" },
      { args: ["--profile", "night"], env: { AXIOM_CONFIG_BACKUP_HOST: "variable" }, host: "variable" },
      {
        args: ["--profile", "nigth"],
        stderr: /--profile: .*found "nigth"; did you mean night\?\n.*profiles are night/,
      },
      { args: [], env: { AXIOM_ENV: "x" }, stderr: /AXIOM_ENV: expected a profile that is defined, found "x"/ },
      { args: ["-c", "broken.yaml"], stderr: /broken.yaml:4:28: profiles.night.backup.mdoe: .*did you mean mode\?/ },
      { args: [], env: { AXIOM_CONFIG: "gone.yaml" }, stderr: /AXIOM_CONFIG: expected a file, found none/ },
      { args: ["-c", "secret"], stderr: /^(?!.*hunter2)axiom: .*secret:1:1: .*found text without any key/s },
    ];
    writeFiles(machine.folder, {
      "broken.yaml": yaml,
      "axiom.yaml": yaml.replace(", mdoe: full", ""),
      secret: "hunter2",
    });
    for (const { args, env, host, stderr } of cases) {
      await t.step(`${JSON.stringify(env ?? {})} axiom ${args.join(" ")}`, async () => {
        const ended = await machine.run([...args, "config", "show", "--json"], { env });
        if (stderr === undefined) equal(ended.json().options["backup.host"].value, host);
        else {
          equal(ended.code, 2);
          match(ended.stderr, stderr);
        }
      });
    }
  }),
);

Deno.test(
  "odd names are shown in one way each, and can be typed as they are shown",
  onMachine(async (machine, t) => {
    const source = machine.path("source");
    await Deno.mkdir(source);
    const names: [name: Uint8Array, shown: string][] = [
      [utf8("two\nlines"), "two\\x0alines"],
      [utf8("two\\x0alines"), "two\\x5cx0alines"],
      [utf8("back\\slash"), "back\\slash"],
      [utf8("-dash"), "-dash"],
      [utf8(" "), " "],
      [utf8("n".repeat(255)), "n".repeat(255)],
      [utf8("right\u202etxt.exe"), "right\\u202etxt.exe"],
    ];
    if (Deno.build.os === "linux") names.push([concat([utf8("latin-"), Uint8Array.of(0xe9)]), "latin-\\xe9"]);
    for (const [name] of names) {
      const script = 'printf %s "$0" > "$(printf %b "$1")"';
      const octal = Array.from(name, (byte) => `\\0${byte.toString(8).padStart(3, "0")}`).join("");
      const made = await new Deno.Command("sh", { args: ["-c", `cd "$2"; ${script}`, "content", `./${octal}`, source] })
        .output();
      equal(made.code, 0);
    }
    equal((await machine.run(["init", "-q"])).stdout, "");
    equal((await machine.run(["backup", "-q", source])).code, 0);
    const listed = (await machine.run(["ls", `latest:${source}`])).stdout.trimEnd().split("\n");
    deepEqual(listed.toSorted(), names.map(([, shown]) => `${source}/${shown}`).sort());
    for (const [, shown] of names) {
      await t.step(shown, async () => {
        equal((await machine.run(["dump", `latest:${source}/${shown}`])).stdout, "content");
        equal((await machine.run(["history", `${source}/${shown}`, "--json"])).json().length, 1);
      });
    }
  }),
);
