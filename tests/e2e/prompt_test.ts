/** The password as a person types it, on a terminal that Python plays. */
import { deepEqual, equal, match } from "node:assert/strict";
import { CODEC_ID, toyCodec, writePlugin, writeRuns } from "./plugin_fixture.ts";
import { ended, type Machine, onMachine, PROGRAM } from "./program.ts";

const PLAYER = `
import json, os, pty, select, sys, time
words, answers = json.loads(sys.argv[1]), json.loads(sys.argv[2])
child, terminal = pty.fork()
if child == 0:
    os.execvp(words[0], words)
seen, deadline = b"", time.time() + 60
while time.time() < deadline:
    if answers and seen.decode(errors="replace").endswith(answers[0][0]):
        time.sleep(0.05)
        os.write(terminal, answers.pop(0)[1].encode())
    ready, _, _ = select.select([terminal], [], [], 0.05)
    if ready:
        try:
            data = os.read(terminal, 4096)
        except OSError:
            break
        if not data:
            break
        seen += data
_, status = os.waitpid(child, 0)
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(status))
`;

async function hasPython(): Promise<boolean> {
  const check = "import os, pty, sys; sys.exit(0 if hasattr(os, 'waitstatus_to_exitcode') else 1)";
  try {
    return (await new Deno.Command("python3", { args: ["-c", check] }).output()).success;
  } catch {
    return false;
  }
}

const ignore = Deno.build.os === "windows" || !await hasPython();

type Answers = [prompt: string, typed: string][];

async function play(machine: Machine, args: string[], answers: Answers, more: Record<string, string> = {}) {
  const words = JSON.stringify([...PROGRAM, ...args]);
  const env = { ...machine.environment(), AXIOM_CONFIG_REPOSITORY_KEY_FILE: "", TERM: "dumb", ...more };
  const command = new Deno.Command("python3", {
    args: ["-c", PLAYER, words, JSON.stringify(answers)],
    clearEnv: true,
    env,
    cwd: machine.folder,
  });
  const { code, stdout, stderr } = ended(await command.output());
  equal(stderr, "");
  return { code, screen: stdout.replaceAll("\r\n", "\n") };
}

Deno.test({
  name: `a password is asked on the terminal, without echo, and twice for what is new${ignore ? " (no Python)" : ""}`,
  ignore,
  fn: onMachine(async (machine, t) => {
    const first = `Password of the new repository ${machine.repository}: `;
    const again = "The same again: ";
    const opening = `Password of the repository ${machine.repository}: `;
    await t.step("none is not asked for again", async () => {
      const { code, screen } = await play(machine, ["init", "--kdf", "pbkdf2"], [[first, "\n"]]);
      equal(code, 12);
      match(screen, /Cannot use the password of the new repository .*: it is empty\n/);
      equal(screen.includes(again), false);
    });
    await t.step("two that differ make nothing", async () => {
      const { code, screen } = await play(machine, ["init", "--kdf", "pbkdf2"], [[first, "one\n"], [again, "two\n"]]);
      equal(code, 2);
      match(screen, /it was not the same the second time/);
    });
    await t.step("init", async () => {
      const { code, screen } = await play(machine, ["init", "--kdf", "pbkdf2"], [
        [first, "sesam\x7fme\n"],
        [again, "sesame\n"],
      ]);
      equal(code, 0, screen);
      equal(screen.includes("sesa"), false, "it is shown");
    });
    await t.step("open", async () => {
      deepEqual(await play(machine, ["snapshots"], [[opening, "sesame\n"]]), {
        code: 0,
        screen: `${opening}\nNo snapshots\n`,
      });
    });
    await t.step("wrong", async () => {
      const { code, screen } = await play(machine, ["snapshots"], [[opening, "open\n"]]);
      equal(code, 12);
      match(screen, /the password does not fit the 1 key slot/);
    });
    await t.step("Ctrl-C", async () => {
      const { code, screen } = await play(machine, ["snapshots"], [[opening, "\x03"]]);
      deepEqual([code, /nterrupted/.test(screen)], [130, true]);
    });
    await t.step("none", async () => {
      const { code, screen } = await play(machine, ["snapshots"], [[opening, "\n"]]);
      equal(code, 12);
      match(screen, /Cannot use the password of the repository .*: it is empty\n/);
    });
  }),
});

Deno.test({
  name: `a decoder of the repository is asked for on the terminal, once${ignore ? " (no Python)" : ""}`,
  ignore,
  fn: onMachine(async (machine, t) => {
    const run = async (...args: string[]) => equal((await machine.run(args)).code, 0);
    await writeRuns(machine.path("source"), 2, 1_500_000);
    await run("init");
    await run("plugin", "load", await writePlugin(machine, "toy.wasm", toyCodec(1)));
    await run("backup", machine.path("source"), "--compression", CODEC_ID);
    const more = { AXIOM_CONFIG_REPOSITORY_KEY_FILE: machine.keyFile, XDG_DATA_HOME: machine.path("elsewhere") };
    const cases: [typed: string, code: number, text: RegExp][] = [
      ["y\r", 0, /which the repository brought along/],
      ["n\r", 14, /is not trusted/],
      ["\r", 14, /is not trusted/],
      ["\x03", 130, /interrupted/],
    ];
    for (const [typed, code, text] of cases) {
      await t.step(JSON.stringify(typed), async () => {
        const { code: ended, screen } = await play(machine, ["check", "--read-data"], [["[y/N] ", typed]], more);
        match(screen, text);
        equal(ended, code, screen);
        equal(screen.split("[y/N]").length, 2);
      });
    }
  }),
});
