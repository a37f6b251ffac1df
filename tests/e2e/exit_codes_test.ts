/** What scripts rely on: exit codes, and what is said on the way. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { COMMANDS } from "../../src/cli/command_table.ts";
import { noise, writeFiles, writeSmallSource } from "../faults/source_folder.ts";
import { type Ended, type Machine, onMachine } from "./program.ts";

const linux = Deno.build.os === "linux";

function endsWith(ended: Ended, code: number, stderr: RegExp): void {
  equal(ended.code, code, ended.stderr);
  match(ended.stderr, stderr);
  ok(!/\bat (file|ext):|\.ts:\d+/.test(ended.stderr), `a stack is shown: ${ended.stderr}`);
}

async function saved(machine: Machine): Promise<string> {
  const source = machine.path("source");
  writeSmallSource(source);
  equal((await machine.run(["init"])).code, 0);
  equal((await machine.run(["backup", source])).code, 0);
  return source;
}

Deno.test(
  "2: usage, in flags, arguments, variables and configuration",
  onMachine(async (machine, t) => {
    await Deno.writeTextFile(machine.path("broken.yaml"), "backup:\n  mdoe: full\n");
    await Deno.writeTextFile(machine.path("password"), "x");
    const cases: { args: string[]; env?: Record<string, string>; stderr: RegExp }[] = [
      { args: ["bakcup"], stderr: /unknown command\n {2}hint: Did you mean `axiom backup`\?/ },
      { args: ["backup", "--tga", "x", "."], stderr: /unknown flag --tga\n {2}hint: Did you mean --tag\?/ },
      { args: ["restore", "latest"], stderr: /--target is missing/ },
      { args: ["snapshots"], env: { AXIOM_REPOSITORY: "" }, stderr: /none is given\n {2}hint: .*--repo/ },
      { args: ["-r", "s3://bucket", "snapshots"], stderr: /s3.* not built in yet/ },
      { args: ["-c", "broken.yaml", "snapshots"], stderr: /broken.yaml:2:3: backup.mdoe: .*did you mean mode\?/ },
      { args: ["-c", "gone.yaml", "snapshots"], stderr: /expected a file, found none/ },
      { args: ["snapshots"], env: { AXIOM_CONFIG_BACKUP_MODE: "some" }, stderr: /AXIOM_CONFIG_BACKUP_MODE/ },
      { args: ["backup", "--compression", "lzma", "."], stderr: /lzma/ },
      { args: ["backup", "--exclude", "a//b", "."], stderr: /a\/\/b/ },
      { args: ["backup"], stderr: /no path is given/ },
    ];
    equal((await machine.run(["init"])).code, 0);
    for (const { args, env, stderr } of cases) {
      await t.step(`axiom ${args.join(" ")}`, async () => endsWith(await machine.run(args, { env }), 2, stderr));
    }
  }),
);

Deno.test(
  "3: done, but not all of the source, or of the target",
  onMachine(async (machine, t) => {
    const source = await saved(machine);
    await t.step("one of two paths is missing: the other is saved", async () => {
      const ended = await machine.run(["backup", source, machine.path("gone")]);
      endsWith(ended, 3, /Cannot back up .*gone: no such file or folder/);
      match(ended.stdout, /1 failed/);
      equal((await machine.run(["snapshots", "--json"])).json().length, 2);
    });
    await t.step("(15) every path is missing: no snapshot", async () => {
      endsWith(
        await machine.run(["backup", machine.path("gone")]),
        3,
        /no such file or folder\n {2}hint: .*no snapshot/,
      );
      equal((await machine.run(["snapshots", "--json"])).json().length, 2);
    });
    await t.step("a list names what is not there", async () => {
      await Deno.writeTextFile(machine.path("list"), `${source}/a\n/no/such/thing\n`);
      endsWith(await machine.run(["backup", "--files-from", "list"]), 3, /list:2: there is no such file/);
    });
    await t.step({
      name: "a file that tells a length of 0 has content: it is not saved as empty",
      ignore: !linux,
      fn: async () => {
        endsWith(await machine.run(["backup", "/proc/version", source]), 3, /\/proc\/version: it has a length of 0/);
        equal((await machine.run(["ls", "latest:/proc"])).stdout.includes("version"), false);
      },
    });
    await t.step({
      name: "an entry of the target cannot be replaced",
      ignore: !linux,
      fn: async () => {
        writeFiles(machine.path("target"), { "a/text/in the way": "x" });
        const ended = await machine.run(["restore", `latest:${source}`, "--target", "target"]);
        endsWith(ended, 3, /Cannot restore .*text: a folder that is not empty stands there\n {2}hint: .*--delete/);
        match(ended.stdout, /\d failed/);
      },
    });
    await t.step("a folder of the target cannot be made where something else is kept", async () => {
      writeFiles(machine.path("kept"), { a: "no folder" });
      const restore = ["restore", `latest:${source}`, "--target", "kept", "--overwrite", "never"];
      for (const more of [["--dry-run"], ["--verify"]]) {
        const ended = await machine.run([...restore, ...more]);
        endsWith(
          ended,
          3,
          /Cannot restore a: a file stands .* \d+ entries below it were left out\n {2}hint: Move it away/,
        );
        match(ended.stdout, /[1-9]\d* skipped, 1 failed/);
      }
      const { code, stdout } = await machine.run([...restore, "--json"]);
      equal(code, 3);
      const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
      const { files_skipped, files_failed } = lines.at(-1);
      ok(files_skipped > files_failed);
      deepEqual(lines.filter(({ type }) => type === "error").map(({ path }) => path), ["a"]);
    });
  }),
);

Deno.test(
  "10, 12, 1: no repository, wrong secret, no secret, one too many",
  onMachine(async (machine) => {
    endsWith(await machine.run(["snapshots"]), 10, /Cannot open .*\n {2}hint: .*axiom init/);
    await Deno.mkdir(machine.path("empty"));
    endsWith(await machine.run(["-r", "empty", "snapshots"]), 10, /Cannot open/);
    equal((await machine.run(["init"])).code, 0);
    const noKey = { AXIOM_CONFIG_REPOSITORY_KEY_FILE: "" };
    endsWith(await machine.run(["snapshots"], { env: { ...noKey, AXIOM_PASSWORD: "x" } }), 12, /takes a password/);
    endsWith(await machine.run(["snapshots", "-p", "gone"], { env: noKey }), 12, /Cannot read the password file gone/);
    await Deno.writeFile(machine.path("other"), noise("another key", 64));
    const env = { AXIOM_CONFIG_REPOSITORY_KEY_FILE: machine.path("other") };
    endsWith(await machine.run(["snapshots"], { env }), 12, /the key file does not fit/);
    endsWith(await machine.run(["init"]), 1, /Cannot make a repository/);
    writeFiles(machine.path("full"), { "My Photos/a.jpg": "x" });
    endsWith(await machine.run(["-r", "full", "init"]), 1, /it holds My Photos/);
    endsWith(await machine.run(["restore", "12345678", "--target", "x"]), 1, /Cannot find a snapshot/);
  }),
);

Deno.test(
  "an init that was interrupted can be repeated",
  onMachine(async (machine) => {
    equal((await machine.run(["init"])).code, 0);
    await Deno.remove(`${machine.repository}/config`, { recursive: true });
    endsWith(await machine.run(["snapshots"]), 10, /Cannot open/);
    equal((await machine.run(["init"])).code, 0);
    equal((await machine.run(["snapshots"])).code, 0);
  }),
);

Deno.test(
  "13: damage, wherever a byte differs",
  onMachine(async (machine, t) => {
    const source = machine.path("source");
    writeFiles(source, { "large": noise("large", 3_000_000), "small": "small" });
    for (const args of [["init"], ["backup", source]]) equal((await machine.run(args)).code, 0);
    const pack = [...walk(`${machine.repository}/packs`)].sort((a, b) =>
      Deno.lstatSync(b).size - Deno.lstatSync(a).size
    )[0];
    await Deno.chmod(pack, 0o600);
    const bytes = await Deno.readFile(pack);
    bytes[1_000_000] ^= 1;
    await Deno.writeFile(pack, bytes);
    await t.step("restore", async () => {
      endsWith(await machine.run(["restore", `latest:${source}`, "-t", "out"]), 13, /Cannot restore large: /);
    });
    await t.step("check finds it where it reads", async () => {
      const ended = await machine.run(["check", "--read-data", "--json"]);
      equal(ended.code, 13);
      const [error] = ended.last().errors;
      deepEqual([error.kind, error.object.startsWith("packs/")], ["pack_damaged", true]);
      ok(error.affected.length > 0 && error.affected[0].path === `${source}/large`);
    });
    await t.step("repair, and a backup, make it whole for the future", async () => {
      equal((await machine.run(["repair", "index", "--read-data"])).code, 0);
      equal((await machine.run(["backup", source])).code, 0);
      equal((await machine.run(["restore", `latest:${source}`, "-t", "again"])).code, 0);
    });
  }),
);

function* walk(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* walk(`${folder}/${name}`);
    else yield `${folder}/${name}`;
  }
}

Deno.test(
  "(28) 13: another repository, or an older one, than this machine saw there",
  onMachine(async (machine, t) => {
    const source = await saved(machine);
    const copy = machine.path("copy");
    await copyFolder(machine.repository, copy);
    writeFiles(source, { "new": "new" });
    equal((await machine.run(["backup", source])).code, 0);
    await t.step("yesterday's copy", async (t) => {
      await Deno.rename(machine.repository, machine.path("today"));
      await copyFolder(copy, machine.repository);
      const gone = /the snapshot [0-9a-f]{32} is gone.*--accept-repository/s;
      const key = machine.path("key");
      for (const args of WRITING) {
        const words = args.map((word) => word.replace("SOURCE", source).replace("KEY", key));
        await t.step(args.join(" "), async () => endsWith(await machine.run(words), 13, gone));
      }
      for (const args of READING) {
        const words = args.map((word) => word.replace("SOURCE", source).replace("TARGET", machine.path("target")));
        await t.step(args.join(" "), async () => endsWith(await machine.run(words), 0, gone));
      }
      deepEqual([...WRITING, ...READING].map(([...args]) => commandOf(args)).sort(), withRepository().sort());
    });
    await t.step("another one", async () => {
      await Deno.remove(machine.repository, { recursive: true });
      const other = { HOME: machine.path("copy") };
      equal((await machine.run(["init"], { env: other })).code, 0);
      endsWith(await machine.run(["backup", source]), 13, /the one that was here before/);
    });
    await t.step("a person says that it is right", async () => {
      equal((await machine.run(["doctor", "--accept-repository"])).code, 0);
      equal((await machine.run(["backup", source])).code, 0);
    });
  }),
);

/** What adds to a repository that is not what it was is refused, and a check finds that it is not; what reads or repairs it is warned of. */
const WRITING = [
  ["backup", "SOURCE"],
  ["tag", "--add", "x", "latest"],
  ["key", "add", "--new-key-file", "KEY"],
  ["key", "remove", "00000000"],
  ["key", "passwd", "--new-key-file", "KEY"],
  ["check"],
];
const READING = [
  ["snapshots"],
  ["ls", "latest"],
  ["find", "top"],
  ["history", "SOURCE/top"],
  ["diff", "latest", "latest"],
  ["dump", "latest:SOURCE/top"],
  ["stats"],
  ["restore", "latest", "--target", "TARGET"],
  ["repair", "decoders"],
  ["repair", "index"],
  ["repair", "snapshots"],
  ["key", "list"],
];
const WITHOUT_REPOSITORY = /^(init|doctor|completion|version|help|config .*|cache .*|plugin .*)$/;

function withRepository(): string[] {
  return COMMANDS.map(({ name }) => name).filter((name) => !WITHOUT_REPOSITORY.test(name));
}

function commandOf(args: readonly string[]): string {
  return COMMANDS.map(({ name }) => name).find((name) => `${args.join(" ")} `.startsWith(`${name} `))!;
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to);
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

Deno.test(
  "(30) a repository in its own source is refused unless it is left out",
  onMachine(async (machine) => {
    await saved(machine);
    endsWith(
      await machine.run(["backup", machine.folder]),
      2,
      /it lies in the source .*\n {2}hint: .*--exclude '\/repository'/,
    );
    const left = await machine.run(["backup", ".", "--exclude", "/repository", "--json"]);
    equal(left.code, 0);
    const paths = (await machine.run(["ls", "latest", "--json"])).json().map(({ path }: { path: string }) => path);
    ok(paths.includes(`${machine.folder}/source/top`) && !paths.includes(machine.repository));
    endsWith(await machine.run(["restore", "latest", "-t", "repository/x"]), 2, /is a part of the repository/);
    endsWith(await machine.run(["restore", "latest", "-t", "/", "--delete"]), 2, /could remove the repository/);
  }),
);
