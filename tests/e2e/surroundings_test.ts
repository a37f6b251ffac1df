/** The program where little is as it should be: its home, its terminal, whoever reads what it prints. */
import { match, ok, strictEqual as equal } from "node:assert/strict";
import { writeFiles } from "../faults/source_folder.ts";
import { type Machine, onMachine, PROGRAM } from "./program.ts";

const linux = Deno.build.os === "linux";

async function saved(machine: Machine): Promise<string> {
  const source = machine.path("source");
  writeFiles(source, { a: "a", b: "b" });
  equal((await machine.run(["init", "-q"])).code, 0);
  equal((await machine.run(["backup", "-q", source])).code, 0);
  return source;
}

/** Quoted for `sh`. */
function line(args: readonly string[]): string {
  return [...PROGRAM, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
}

const ANSWERS = [
  ["snapshots"],
  ["ls", "latest", "--json"],
  ["find", "*"],
  ["diff", "latest", "latest", "--json"],
  ["dump", "latest"],
  ["stats"],
  ["check", "--json"],
  ["help"],
  ["config", "show"],
  ["completion", "bash"],
];

Deno.test({
  name: "nobody reads the answer, or the disk behind it is full",
  ignore: !linux,
  fn: onMachine(async (machine, t) => {
    await saved(machine);
    const shell = async (script: string) => {
      const command = new Deno.Command("bash", {
        args: ["-c", script],
        clearEnv: true,
        env: machine.environment(),
        cwd: machine.folder,
      });
      const { stdout, stderr } = await command.output();
      return { code: new TextDecoder().decode(stdout).trim(), stderr: new TextDecoder().decode(stderr) };
    };
    for (const args of ANSWERS) {
      await t.step(`${args.join(" ")} | true`, async () => {
        const { code, stderr } = await shell(`${line(args)} | true; echo "\${PIPESTATUS[0]}"`);
        equal(code, "0", stderr);
        equal(stderr, "");
      });
      await t.step(`${args.join(" ")} > /dev/full`, async () => {
        const { code, stderr } = await shell(`${line(args)} > /dev/full; echo "$?"`);
        equal(code, "1");
        match(stderr, /^axiom: Cannot write to the standard output: No space left on device/);
      });
    }
  }),
});

Deno.test(
  "a home that is missing, or none, costs what is remembered and nothing else",
  onMachine(async (machine, t) => {
    const source = await saved(machine);
    const cases: { name: string; env: Record<string, string>; stderr: RegExp }[] = [
      { name: "no home", env: { HOME: "", USERPROFILE: "" }, stderr: /Cannot keep this machine's id: neither/ },
      { name: "a home that takes nothing", env: { HOME: "/proc" }, stderr: /Cannot keep this machine's id: / },
      {
        name: "relative folders",
        env: { XDG_STATE_HOME: "x", XDG_CACHE_HOME: "x", XDG_CONFIG_HOME: "x" },
        stderr: /^$/,
      },
      { name: "no language", env: { LANG: "C", LC_ALL: "C" }, stderr: /^$/ },
      { name: "no such time zone", env: { TZ: "Mars/Olympus" }, stderr: /^$/ },
    ];
    for (const { name, env, stderr } of cases) {
      await t.step({
        name,
        ignore: !linux && name.startsWith("a home"),
        fn: async () => {
          const backup = await machine.run(["backup", source], { env });
          equal(backup.code, 0, backup.stderr);
          match(backup.stderr, stderr);
          const found = await machine.run(["find", "a"], { env });
          equal(found.code, 0, found.stderr);
          match(found.stdout, /\/source\/a/);
        },
      });
    }
    ok(!Array.from(Deno.readDirSync(machine.folder), (entry) => entry.name).includes("x"));
  }),
);

Deno.test(
  "12: a password that is empty, or that nobody can be asked for",
  onMachine(async (machine, t) => {
    await saved(machine);
    writeFiles(machine.folder, { empty: "", "empty-line": "\nsecond\n" });
    const cases: { args: string[]; env?: Record<string, string>; stderr: RegExp }[] = [
      { args: [], stderr: /Cannot ask for the password: there is no terminal\n {2}hint: .*--password-file/ },
      { args: [], env: { AXIOM_PASSWORD: "" }, stderr: /there is no terminal/ },
      { args: ["-p", "empty"], stderr: /the password file empty as a password: its first line is empty/ },
      { args: ["-p", "empty-line"], stderr: /its first line is empty/ },
      { args: ["-p", "."], stderr: /Cannot read the password file \.: / },
      { args: ["--password-command", "/no/such"], stderr: /Cannot get the password from the command/ },
    ];
    for (const { args, env, stderr } of cases) {
      await t.step(`${args.join(" ")} ${JSON.stringify(env ?? {})}`, async () => {
        const all = { AXIOM_CONFIG_REPOSITORY_KEY_FILE: "", ...env };
        for (const command of [["snapshots"], ["-r", machine.path("new"), "init"]]) {
          const ended = await machine.run([...args, ...command], { env: all });
          equal(ended.code, 12, ended.stderr);
          match(ended.stderr, stderr);
        }
      });
    }
  }),
);
