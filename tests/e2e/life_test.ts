/** A repository from its first day on, in the order in which a person meets the commands. */
import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { pictureOfFolder } from "../faults/pictures.ts";
import { changeSmallSource, nextTick, noise, writeFiles, writeSmallSource } from "../faults/source_folder.ts";
import { type Ended, ended, type Machine, onMachine, PROGRAM } from "./program.ts";

const linux = Deno.build.os === "linux";
const files = openFileSystem();

/** Everything that a file system of Linux can hold and a test may make. */
async function writeSource(folder: string): Promise<void> {
  writeSmallSource(folder);
  writeFiles(folder, { "large/random": noise("large", 9_000_000), "large/text": "line of text\n".repeat(400_000) });
  await Deno.chmod(`${folder}/a/text`, 0o4755);
  await Deno.chmod(`${folder}/a`, 0o750);
  await run("sh", [
    "-c",
    `cd '${folder}' && printf x > "$(printf 'n\\303\\274chtern')" && printf y > "$(printf 'bad\\377name')" &&
     printf z > "$(printf 'line\\nbreak')" && mkfifo pipe && truncate -s 50M sparse && printf end >> sparse &&
     touch -d '1965-04-03 02:01:00.123456789 UTC' a/b/empty && touch -h -d '2001-02-03 04:05:06.7 UTC' link &&
     touch -d '2010-01-01 00:00:00.000000001 UTC' c a && (setfattr -n user.note -v hello top || true)`,
  ]);
}

async function run(command: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** By rsync where it is installed, and by our own eyes: bytes, links, modes, owners, nanoseconds, attributes. */
async function assertEqualTrees(left: string, right: string): Promise<void> {
  deepEqual(pictureOfFolder(files, left), pictureOfFolder(files, right));
  const rsync = await new Deno.Command("rsync", { args: ["--version"] }).output().catch(() => undefined);
  if (!rsync?.success) return;
  const args = ["-aHAXn", "--checksum", "--itemize-changes", "--delete", `${left}/`, `${right}/`];
  equal(await run("rsync", args), "");
}

function succeeded(ended: Ended): Ended {
  equal(ended.code, 0, ended.stderr);
  return ended;
}

Deno.test({
  name: "a repository's life: init, backup, change, backup, look, restore, check, keys",
  ignore: !linux,
  fn: onMachine(async (machine, t) => {
    const source = machine.path("source");
    const axiom = async (...args: string[]) => succeeded(await machine.run(args));
    await writeSource(source);
    let first = "", second = "";

    await t.step("init", async () => {
      match((await axiom("init")).stdout, /^Made the repository [0-9a-f]{32} in /);
    });
    await t.step("backup", async () => {
      const { stdout, stderr } = await axiom("backup", source, "--tag", "first");
      match(stdout, /^Saved snapshot [0-9a-f]{8} \(incremental\)\nFiles: +\d+ new, 0 changed, 0 unmodified\n/);
      equal(stderr, "");
    });
    await t.step("restore brings back all of it", async () => {
      const { stdout } = await axiom("restore", `latest:${source}`, "--target", machine.path("out"), "--verify");
      match(stdout, /^Restored \d+ files to .*: 0 unchanged, \d+ verified\n/);
      await assertEqualTrees(source, machine.path("out"));
    });
    await t.step("a second restore into the same place writes only what has several names", async () => {
      const ended = await axiom("restore", `latest:${source}`, "--target", machine.path("out"), "--json");
      const { files_unchanged, bytes_written } = ended.last();
      ok(files_unchanged > 8 && bytes_written <= 20_000, ended.stdout);
      await assertEqualTrees(source, machine.path("out"));
    });
    await t.step("an unchanged source costs nothing but the snapshot", async () => {
      const summary = (await axiom("backup", source, "--json")).last();
      deepEqual([summary.files_new, summary.files_changed], [0, 0]);
      ok(summary.bytes_added < 2000, "only the folder above the source changed");
    });
    await t.step("backup of what changed", async () => {
      await nextTick();
      changeSmallSource(source);
      const summary = (await axiom("backup", source, "--json")).last();
      deepEqual([summary.files_new, summary.files_changed], [3, 1]);
      ok(summary.bytes_added < 100_000, String(summary.bytes_added));
    });
    await t.step("snapshots", async () => {
      const list = (await axiom("snapshots", "--json")).json();
      deepEqual(list.map(({ paths }: { paths: string[] }) => paths), [[source], [source], [source]]);
      first = list[0].id;
      second = list[2].id;
      deepEqual([list[0].tags, list[1].parent_id, list[2].parent_id], [["first"], first, list[1].id]);
      match(
        (await axiom("snapshots", "--latest", "1")).stdout,
        new RegExp(`\\n${second.slice(0, 8)} .*\\n1 snapshot\\n$`),
      );
    });
    await t.step("ls", async () => {
      const { stdout } = await axiom("ls", `${first.slice(0, 10)}:${source}`);
      match(stdout, new RegExp(`\\n${source}/hollow\\n`));
      match(stdout, /bad\\xffname\n/);
      match(stdout, /line\\x0abreak\n/);
      match((await axiom("ls", "-l", `${first}:${source}`)).stdout, /\nprw.* 0 .*\/pipe\n/);
    });
    await t.step("diff", async () => {
      const { stdout } = await axiom("diff", first, second);
      for (
        const line of ["M a/text", "+ c/new", "+ d", "+ d/deep", "+ d/deep/er", "- top", "- a/b/copy", "+ a/b/renamed"]
      ) {
        ok(stdout.includes(`${line.slice(0, 2)}${source}/${line.slice(2)}\n`), `${line} is not in ${stdout}`);
      }
    });
    await t.step("dump", async () => {
      const { bytes } = await axiom("dump", `${first}:${source}/large/random`);
      deepEqual(bytes, noise("large", 9_000_000));
    });
    await t.step("restore of an older snapshot in place, deleting what it does not hold", async () => {
      await axiom("restore", `${first}:${source}`, "--target", source, "--delete");
      await assertEqualTrees(machine.path("out"), source);
    });
    await t.step("restore of a part, by patterns", async () => {
      const target = machine.path("part");
      await axiom("restore", `${first}:${source}`, "--target", target, "--include", "/a", "--exclude", "noise");
      deepEqual(
        [...pictureOfFolder(files, target).keys()],
        [".", "a", "a/b", "a/b/copy", "a/b/empty", "a/text"],
      );
    });
    await t.step("tag keeps the snapshot and its pin", async () => {
      const { changed } = (await axiom("tag", "--add", "keep", second, "--json")).json();
      deepEqual([changed.length, changed[0].tags], [1, ["keep"]]);
      deepEqual((await axiom("snapshots", "--tag", "keep", "--json")).json().length, 1);
    });
    await t.step("stats", async () => {
      const stats = (await axiom("stats", "--mode", "raw-data", "--json")).json();
      ok(stats.packs_bytes > 9_000_000 && stats.deduplication_ratio > 2);
    });
    await t.step("check of everything", async () => {
      const summary = (await axiom("check", "--read-data", "--json")).last();
      deepEqual([summary.errors, summary.snapshots_checked], [[], 3]);
    });
    await t.step("repair finds nothing to do", async () => {
      match((await axiom("repair", "index", "--read-data")).stdout, /nothing to do\n.*no damage found\n$/);
      match((await axiom("repair", "snapshots")).stdout, /none lost anything\n$/);
    });
    await t.step("doctor", async () => {
      const findings = (await axiom("doctor", "--json")).json();
      equal(findings.find(({ name }: { name: string }) => name === "repository").state, "ok");
    });
  }),
});

Deno.test("passwords open it, come and go", onMachine(passwords));

async function passwords(machine: Machine, t: Deno.TestContext): Promise<void> {
  const noKey = { AXIOM_CONFIG_REPOSITORY_KEY_FILE: "" };
  const one = machine.path("one"), two = machine.path("two");
  await Deno.writeTextFile(one, "first password\nnot this line\n");
  await Deno.writeTextFile(two, "second\r\n");
  await t.step("init with a password from a file", async () => {
    succeeded(await machine.run(["init", "-p", one, "--kdf", "pbkdf2", "--label", "boss"], { env: noKey }));
  });
  const sources: [string, string[], Record<string, string>][] = [
    ["file", ["-p", one], {}],
    ["environment", [], { AXIOM_PASSWORD: "first password" }],
    ["command", ["--password-command", `sh -c 'head -n 1 "${one}"'`], {}],
    ["variable of the file", [], { AXIOM_PASSWORD_FILE: one }],
    ["flag before variable", ["-p", one], { AXIOM_PASSWORD: "wrong", AXIOM_PASSWORD_COMMAND: "echo wrong" }],
  ];
  for (const [name, args, env] of sources) {
    await t.step(name, async () => {
      succeeded(await machine.run(["snapshots", ...args], { env: { ...noKey, ...env } }));
    });
  }
  await t.step("a second one, and a key file", async () => {
    const env = { ...noKey, AXIOM_PASSWORD_FILE: one };
    succeeded(await machine.run(["key", "add", "--new-password-file", two, "--kdf", "pbkdf2"], { env }));
    succeeded(await machine.run(["key", "add", "--new-key-file", machine.keyFile, "--label", "key"], { env }));
    const slots = succeeded(await machine.run(["key", "list", "--json"])).json();
    deepEqual(slots.map(({ label, current }: { label: string; current: boolean }) => [label, current]).sort(), [
      ["", false],
      ["boss", false],
      ["key", true],
    ]);
  });
  await t.step("change and remove", async () => {
    const env = { ...noKey, AXIOM_PASSWORD: "second" };
    succeeded(await machine.run(["key", "passwd", "--new-password-command", "echo third"], { env }));
    equal((await machine.run(["snapshots"], { env })).code, 12);
    const slots = (await machine.run(["key", "list", "--json"])).json();
    const boss = slots.find(({ label }: { label: string }) => label === "boss").id;
    succeeded(await machine.run(["key", "remove", boss.slice(0, 6)]));
    equal((await machine.run(["snapshots", "-p", one], { env: noKey })).code, 12);
    succeeded(await machine.run(["snapshots"], { env: { ...noKey, AXIOM_PASSWORD: "third" } }));
    const current = slots.find(({ current }: { current: boolean }) => current).id;
    const refused = await machine.run(["key", "remove", current]);
    deepEqual([refused.code, /it is the one that opened/.test(refused.stderr)], [2, true]);
  });
}

Deno.test({
  name: "a password comes by a pipe too, as a shell makes it",
  ignore: !linux,
  fn: onMachine(async (machine) => {
    const [program, ...before] = PROGRAM;
    const words = [program, ...before].map((word) => `'${word}'`).join(" ");
    const script = `${words} init --kdf pbkdf2 -p <(echo secret) && echo secret | ${words} snapshots -p /dev/stdin`;
    const env = { ...machine.environment(), AXIOM_CONFIG_REPOSITORY_KEY_FILE: "" };
    const command = new Deno.Command("bash", { args: ["-c", script], clearEnv: true, env, cwd: machine.folder });
    const { code, stdout, stderr } = ended(await command.output());
    deepEqual([code, stderr], [0, ""]);
    match(stdout, /No snapshots\n$/);
  }),
});
