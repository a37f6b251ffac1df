import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { join } from "node:path";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { startProducer } from "./producer.ts";
import { keyFromFile, passwordFromCommand, passwordFromFile } from "./secret_input.ts";

const windows = Deno.build.os === "windows";

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function fails(kind: string, pattern: RegExp) {
  return (error: unknown) => {
    ok(error instanceof AxiomError);
    equal(error.kind, kind);
    match(error.message, pattern);
    ok(!error.message.includes("secret"), "a message shows the password");
    return true;
  };
}

Deno.test("a password file is its first line", () =>
  inFolder(async (folder) => {
    const path = join(folder, "password");
    const cases: [content: string | Uint8Array, password: string | RegExp, kind?: string][] = [
      ["secret", "secret"],
      ["secret\nand more", "secret"],
      ["secret \r\n", "secret "],
      ["\ufeffs\u00e9cret\n", "s\u00e9cret"],
      ["", /first line is empty/, "password_missing"],
      ["\nsecret", /first line is empty/, "password_missing"],
      [Uint8Array.of(0x73, 0xff), /not UTF-8/, "usage"],
      [new Uint8Array(LIMITS.passwordFileBytesMax + 1).fill(0x73), /more than \d+ bytes/, "usage"],
    ];
    for (const [content, expected, kind] of cases) {
      await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
      if (expected instanceof RegExp) await rejects(passwordFromFile(path), fails(kind!, expected));
      else equal(await passwordFromFile(path), expected);
    }
    await Deno.writeFile(path, Uint8Array.of(0, 255, 10));
    deepEqual(await keyFromFile(path), Uint8Array.of(0, 255, 10));
    await rejects(passwordFromFile(join(folder, "gone")), fails("password_missing", /there is no such file/));
    await rejects(keyFromFile(folder), fails("password_missing", /Cannot read the key file/));
  }));

Deno.test({
  name: "a password command runs without a shell, and must succeed",
  ignore: windows,
  fn: async () => {
    equal(await passwordFromCommand("echo 'my  secret' $HOME"), "my  secret $HOME");
    equal(await passwordFromCommand(`sh -c 'printf "secret\\nmore"'`), "secret");
    await rejects(passwordFromCommand("sh -c 'echo secret; exit 3'"), fails("password_missing", /the exit code 3/));
    await rejects(passwordFromCommand("sh -c 'kill -9 $$'"), fails("password_missing", /SIGKILL/));
    await rejects(passwordFromCommand("/no/such/program"), fails("password_missing", /Cannot get the password/));
    await rejects(passwordFromCommand("true"), fails("password_missing", /first line is empty/));
    await rejects(passwordFromCommand("echo 'x"), fails("usage", /left open/));
    await rejects(passwordFromCommand(""), fails("usage", /left open/));
    const interrupted = new AxiomError("interrupted", "Interrupted");
    const begun = Date.now();
    await rejects(passwordFromCommand("sleep 60", AbortSignal.abort(interrupted)), interrupted);
    const controller = new AbortController();
    setTimeout(() => controller.abort(interrupted), 50);
    await rejects(passwordFromCommand("sleep 60", controller.signal), interrupted);
    ok(Date.now() - begun < 30_000, "it was waited for");
  },
});

Deno.test({
  name: "a producer ends well or not, and can be stopped",
  ignore: windows,
  fn: async () => {
    const good = startProducer(["printf", "%s", "a b", "$HOME"]);
    equal(await new Response(good.bytes).text(), "a b$HOME");
    await good.done;
    good.stop();
    const bad = startProducer(["sh", "-c", "echo half; exit 7"]);
    equal(await new Response(bad.bytes).text(), "half\n");
    await rejects(bad.done, fails("source_failed", /ended with the exit code 7/));
    const endless = startProducer(["sleep", "60"]);
    endless.stop();
    await endless.bytes.cancel();
    await rejects(endless.done, fails("source_failed", /SIGTERM/));
    try {
      startProducer(["/no/such/program"]);
      ok(false, "it was started");
    } catch (error) {
      fails("source_failed", /Cannot run \/no\/such\/program/)(error);
    }
  },
});
