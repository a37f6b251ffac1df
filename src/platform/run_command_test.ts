import { rejects, strictEqual as equal } from "node:assert/strict";
import { runCommand } from "./run_command.ts";

const posix = Deno.build.os !== "windows";
const here = { folder: "/", signal: new AbortController().signal, charactersMax: 1000 };

function shellTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: !posix, fn });
}

shellTest("what a command prints on both outputs comes back, of much only the end", async () => {
  equal((await runCommand(["sh", "-c", "pwd; echo two >&2"], here)).split("\n").sort().join(" "), " / two");
  const text = await runCommand(["sh", "-c", "seq 100000"], here);
  equal(text.length, 1000);
  equal(text.endsWith("\n99999\n100000\n"), true);
});

shellTest("a command that fails, or is none, says why", async () => {
  await rejects(runCommand(["sh", "-c", "echo why; exit 3"], here), {
    kind: "source_failed",
    message: /exit code 3:\nwhy$/,
  });
  await rejects(runCommand(["sh", "-c", "kill -9 $$"], here), {
    kind: "source_failed",
    message: /ended with SIGKILL$/,
  });
  await rejects(runCommand(["no-such-program"], here), {
    kind: "source_failed",
    message: /Cannot run no-such-program/,
  });
});

shellTest("an abort ends it, though a child of it holds its output open", async () => {
  const leaving = new AbortController();
  const run = runCommand(["sh", "-c", "sleep 30 & sleep 30"], { ...here, signal: leaving.signal });
  leaving.abort();
  await rejects(run, { kind: "interrupted" });
  await rejects(runCommand(["true"], { ...here, signal: leaving.signal }), { kind: "interrupted" });
});
