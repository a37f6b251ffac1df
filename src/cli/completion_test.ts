import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { join } from "node:path";
import type { AnyCommand } from "./command.ts";
import { COMMANDS } from "./command_table.ts";
import { COMPLETION_SHELLS, completionScript, type CompletionShell } from "./completion.ts";
import { sampleTable } from "./testing.ts";

const real = COMMANDS.filter(({ group }) => group === "This program");
const commands: AnyCommand[] = await Promise.all([...sampleTable(), ...real].map((entry) => entry.load()));
const firstWords = ["backup", "restore", "key", "repair", "cache", "completion", "version", "help"];
const modes = ["full", "incremental", "differential"];

/** What was typed, with a space at the end for a new word, and what a shell must then offer; names lie in the current folder. */
const cases: { line: string; offers: string[]; includes?: true }[] = [
  { line: "axiom ", offers: firstWords },
  { line: "axiom ke", offers: ["key"] },
  { line: "axiom key ", offers: ["add", "list"] },
  { line: "axiom key a", offers: ["add"] },
  { line: "axiom -r folder key ", offers: ["add", "list"] },
  { line: "axiom --json key ", offers: ["add", "list"] },
  { line: "axiom repair index --mod", offers: ["--mode"] },
  { line: "axiom backup --mode ", offers: modes },
  { line: "axiom backup --mode i", offers: ["incremental"] },
  { line: "axiom backup fi", offers: ["file"] },
  { line: "axiom backup -k 5 fi", offers: ["file"] },
  { line: "axiom backup -n fi", offers: ["file"] },
  { line: "axiom backup file fo", offers: ["folder"] },
  { line: "axiom backup -- -", offers: ["-odd"] },
  { line: "axiom backup --tag ", offers: [] },
  { line: "axiom backup --target f", offers: ["folder"] },
  { line: "axiom -p fi", offers: ["file"] },
  { line: "axiom -r f", offers: ["folder"] },
  { line: "axiom completion ", offers: [...COMPLETION_SHELLS] },
  { line: "axiom completion bash ", offers: [] },
  { line: "axiom help ", offers: firstWords },
  { line: "axiom help k", offers: ["key"] },
  { line: "axiom bogus ", offers: [] },
  { line: "axiom key list --re", offers: ["--repo", "--recheck"] },
];

/** The end of a test's name where it is left out. */
function unless(isInstalled: boolean, shell: string): string {
  return isInstalled ? "" : ` (left out: ${shell} is not installed)`;
}

function installed(shell: string): boolean {
  try {
    return new Deno.Command(shell, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

const [bash, zsh, fish] = COMPLETION_SHELLS.map(installed);

/** A folder with some names and the script, the current one while `body` runs a shell in it. */
async function inFolder(
  shell: CompletionShell,
  body: (folder: string, script: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const names = join(folder, "names"), script = join(folder, `axiom.${shell}`);
    await Deno.mkdir(join(names, "folder"), { recursive: true });
    for (const name of ["file", "with space", "st*r", "-odd"]) await Deno.writeTextFile(join(names, name), "");
    await Deno.writeTextFile(script, completionScript(shell, commands));
    await body(names, script);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function lines(shell: string, args: string[], cwd: string): Promise<string[]> {
  const { stdout, stderr, success } = await new Deno.Command(shell, { args, cwd }).output();
  equal(new TextDecoder().decode(stderr), "");
  equal(success, true);
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
}

/** Cuts words at `=` as bash does with the default COMP_WORDBREAKS. */
function bashWords(line: string): string[] {
  return line.split(" ").flatMap((word) => word.split(/(=)/).filter((part, at) => part !== "" || at === 0));
}

const BASH_DRIVER = `
  source "$1"; shift
  COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _axiom
  printf '%s\\n' "\${COMPREPLY[@]}"`;

Deno.test({
  name: `the script for bash offers commands, flags, values and names in a real bash${unless(bash, "bash")}`,
  ignore: !bash,
  fn: (t) =>
    inFolder("bash", async (folder, script) => {
      const more = [
        { line: "axiom backup --mode=", offers: modes },
        { line: "axiom backup --mode=d", offers: ["differential"] },
        { line: "axiom --repo=fo", offers: ["folder"] },
        { line: "axiom backup wi", offers: ["with space"] },
        { line: "axiom backup st", offers: ["st*r"] },
      ];
      for (const { line, offers } of [...cases, ...more]) {
        await t.step(line, async () => {
          const got = await lines("bash", ["--norc", "-c", BASH_DRIVER, "bash", script, ...bashWords(line)], folder);
          deepEqual(got.sort(), offers.toSorted());
        });
      }
      await t.step("where = does not cut words, the flag stays before its value", async () => {
        const driver = `COMP_WORDBREAKS=' '; ${BASH_DRIVER}`;
        const words = ["axiom", "backup", "--mode=f"];
        deepEqual(await lines("bash", ["--norc", "-c", driver, "bash", script, ...words], folder), ["--mode=full"]);
      });
      await t.step("it is registered for axiom", async () => {
        match((await lines("bash", ["--norc", "-c", `source '${script}'; complete -p axiom`], folder))[0], /_axiom/);
      });
    }),
});

Deno.test({
  name: `the script for fish offers the same in a real fish${unless(fish, "fish")}`,
  ignore: !fish,
  fn: (t) =>
    inFolder("fish", async (folder, script) => {
      for (const { line, offers } of cases) {
        await t.step(line, async () => {
          const asked = `source '${script}'; complete -C '${line}'`;
          const got = await lines("fish", ["--no-config", "-c", asked], folder);
          deepEqual(got.map((offer) => offer.split("\t")[0].replace(/\/$/, "")).sort(), offers.toSorted());
        });
      }
    }),
});

Deno.test({
  name: `the script for zsh has no error of syntax${unless(zsh, "zsh")}`,
  ignore: !zsh,
  fn: () => inFolder("zsh", async (folder, script) => deepEqual(await lines("zsh", ["-f", "-n", script], folder), [])),
});

Deno.test("quotes and brackets in descriptions stay inside the scripts", async (t) => {
  const odd: AnyCommand[] = commands.map((command) => ({
    ...command,
    summary: "it's $(touch broken) `x` [y]: \\z",
    flags: command.flags.map((flag) => ({ ...flag, description: "it's $(touch broken) `x` [y]: \\z" })),
  }));
  for (const shell of COMPLETION_SHELLS) {
    await t.step({
      name: `${shell}${unless(installed(shell), shell)}`,
      ignore: !installed(shell),
      fn: async () => {
        const folder = await Deno.makeTempDir();
        const script = join(folder, "script");
        await Deno.writeTextFile(script, completionScript(shell, odd));
        await lines(shell, ["-n", script], folder);
        if (shell !== "zsh") await lines(shell, ["-c", `source '${script}'`], folder);
        deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["script"]);
        await Deno.remove(folder, { recursive: true });
      },
    });
  }
});
