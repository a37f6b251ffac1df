/** Paths of the wrong kind: a file where a folder has to be, a folder in place of a file, a link that leads nowhere. */
import { match, notEqual, strictEqual as equal } from "node:assert/strict";
import { writeFiles } from "../faults/source_folder.ts";
import { onMachine } from "./program.ts";

const CASES: { args: string[]; code: number; stderr: RegExp; env?: Record<string, string> }[] = [
  ...["restore latest -t file", "restore latest -t file/below", "restore latest -t file/below --dry-run"].map((
    line,
  ) => ({
    args: line.split(" "),
    code: 1,
    stderr: /Cannot restore to .*: .*\/file is a file, not a folder\n {2}hint: .*--target/,
  })),
  {
    args: ["restore", "latest", "-t", "dangling"],
    code: 1,
    stderr: /\/dangling is a symbolic link that leads to nothing, not a folder\n {2}hint: /,
  },
  {
    args: ["dump", "latest", "-o", "file"],
    code: 1,
    stderr: /Cannot write .*\/file: it exists already\n {2}hint: .*--output/,
  },
  {
    args: ["backup", "file/below"],
    code: 3,
    stderr: /Cannot back up .*\/file\/below: no such file or folder\n {2}hint: /,
  },
  ...["snapshots", "init", "check"].flatMap((command) => [
    {
      args: ["-r", "file", command],
      code: 10,
      stderr: /Cannot open .*\/file: it is a file, not a folder\n {2}hint: .*--repo/,
    },
    {
      args: ["-r", "file/below/it", command],
      code: 10,
      stderr: /Cannot open .*\/below\/it: .*\/file is a file, not a folder\n {2}hint: .*--repo/,
    },
  ]),
  ...["-p", "--password-file"].map((flag) => ({
    args: [flag, "folder", "snapshots"],
    code: 12,
    stderr: /Cannot read the password file folder: a folder, not a file\n {2}hint: /,
  })),
  {
    args: ["-p", "file/below", "snapshots"],
    code: 12,
    stderr: /password file file\/below: there is no such file\n {2}hint: /,
  },
  {
    args: ["snapshots"],
    env: { AXIOM_CONFIG_REPOSITORY_KEY_FILE: "folder" },
    code: 12,
    stderr: /Cannot read the key file .*folder: a folder, not a file\n {2}hint: /,
  },
  ...["list", "clear"].map((command) => ({
    args: ["--cache-dir", "file", "cache", command],
    code: 1,
    stderr: /Cannot use the cache .*: .*\/file is a file, not a folder\n {2}hint: .*--cache-dir/,
  })),
  { args: ["--cache-dir", "file", "find", "a"], code: 0, stderr: /warning: .*: .*\/file is a file, not a folder\n$/ },
  { args: ["--cache-dir", "file/below", "find", "a"], code: 0, stderr: /warning: .*\/file is a file, not a folder\n$/ },
  {
    args: ["-c", "folder", "snapshots"],
    code: 2,
    stderr: /folder: expected .*, found a folder, not a file\n {2}hint: /,
  },
  {
    args: ["-c", "file/below", "snapshots"],
    code: 2,
    stderr: /--config: expected a file, found none at .*\n {2}hint: /,
  },
  {
    args: ["backup", "--files-from", "folder"],
    code: 2,
    stderr: /paths from folder: a folder, not a file\n {2}hint: /,
  },
  {
    args: ["backup", "--files-from", "file/below"],
    code: 2,
    stderr: /from file\/below: there is no such file\n {2}hint: /,
  },
  {
    args: ["backup", "--exclude-file", "folder", "folder"],
    code: 2,
    stderr: /from folder: a folder, not a file\n {2}hint: /,
  },
  {
    args: ["key", "add", "--new-password-file", "folder"],
    code: 12,
    stderr: /password file folder: a folder, not a file\n {2}hint: /,
  },
  {
    args: ["dump", "latest:/no/such"],
    code: 1,
    stderr: /Cannot find \/no\/such in the snapshot .*: \/ has no "no"\n {2}hint: /,
  },
];

Deno.test({
  name: "a path of the wrong kind is named, with what it is and the next step",
  ignore: Deno.build.os === "windows",
  fn: onMachine(async (machine, t) => {
    writeFiles(machine.folder, { file: "text", "folder/a": "a" });
    Deno.symlinkSync("nothing", machine.path("dangling"));
    equal((await machine.run(["init", "-q"])).code, 0);
    equal((await machine.run(["backup", "-q", "folder"])).code, 0);
    for (const { args, code, stderr, env = {} } of CASES) {
      await t.step(`${args.join(" ")} ${Object.keys(env)}`, async () => {
        const withPassword = args.some((arg) => arg.startsWith("-p") || arg === "--password-file");
        const secret: Record<string, string> = withPassword ? { AXIOM_CONFIG_REPOSITORY_KEY_FILE: "" } : {};
        const ended = await machine.run(args, { env: { ...secret, ...env } });
        equal(ended.code, code, ended.stderr);
        match(ended.stderr, stderr);
        notEqual(/os error|E[A-Z]{4,}|\.ts:/.test(ended.stderr), true, ended.stderr);
      });
    }
    equal(Deno.readTextFileSync(machine.path("file")), "text");
    equal(Deno.readLinkSync(machine.path("dangling")), "nothing");
  }),
});
