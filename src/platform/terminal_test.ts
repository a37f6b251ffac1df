import { match, ok, strictEqual as equal } from "node:assert/strict";
import { hasProgram } from "./file_system_fixture.ts";

/** Deno asks on a terminal for what was not granted; a test that meets such a question ends by its time-out. */
const PROGRAM = `
  import { hostName, userName } from ${JSON.stringify(import.meta.resolve("./host.ts"))};
  import { openFileSystem } from ${JSON.stringify(import.meta.resolve("./open_file_system.ts"))};
  import { readPassword } from ${JSON.stringify(import.meta.resolve("./terminal.ts"))};
  const system = openFileSystem();
  const nothing = [hostName(), userName(), system.userName(0), system.groupId("root"), system.volume("/tmp")];
  for (const call of ["lstat", "readNames", "readLink", "xattrs", "openForReading", "realPath", "openTarget"]) {
    try { system[call]("/etc/hostname"); } catch (error) { nothing.push(error.code); }
  }
  console.log(nothing.join(" "));
  try {
    console.log("GOT=" + JSON.stringify(readPassword("Password, please: ")));
  } catch (error) {
    console.log("FAILED=" + error.kind);
  }
`;

interface Case {
  permissions: string[];
  /** What comes by standard input, so that only /dev/tty is a terminal. */
  stdin?: string;
  typed: string;
  result: RegExp;
}

/** Runs the program on a terminal of its own (util-linux `script`), types once it asks, returns all that was shown. */
async function onTerminal(file: string, { permissions, stdin = "", typed }: Case): Promise<string> {
  const run = [Deno.execPath(), "run", "--no-check", ...permissions, file].join(" ");
  const child = new Deno.Command("script", {
    args: ["-qec", `stty -a > ${file}.before; ${run} ${stdin}; stty -a > ${file}.after`, "/dev/null"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(30_000),
  }).spawn();
  const stderr = new Response(child.stderr).text();
  const writer = child.stdin.getWriter();
  let shown = "";
  let asked = false;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    shown += text;
    if (asked || !shown.includes("please: ")) continue;
    asked = true;
    await writer.write(new TextEncoder().encode(typed));
  }
  await writer.close().catch(() => {}); // the program has ended
  await child.status;
  return shown + await stderr;
}

Deno.test({
  name: "readPassword() asks on the terminal, shows nothing, and leaves it as it was",
  ignore: !hasProgram("script") || !hasProgram("stty"),
  async fn(t) {
    const folder = await Deno.makeTempDir({ prefix: "axiom-terminal-" });
    const file = `${folder}/program.ts`;
    await Deno.writeTextFile(file, PROGRAM);
    const cases: Record<string, Case> = {
      "by /dev/tty": { permissions: ["-A"], typed: "pässwörd\r", result: /GOT="pässwörd"/ },
      "while standard input is something else": {
        permissions: ["-A"],
        stdin: "</dev/null",
        typed: "x\x7fsecret\r",
        result: /GOT="secret"/,
      },
      "without permissions, by standard input": { permissions: [], typed: "secret\r", result: /GOT="secret"/ },
      "Ctrl-C": { permissions: ["-A"], typed: "sec\x03", result: /FAILED=interrupted/ },
      "Ctrl-C without permissions": { permissions: [], typed: "sec\x03", result: /FAILED=interrupted/ },
    };
    for (const [name, known] of Object.entries(cases)) {
      await t.step(name, async () => {
        const shown = await onTerminal(file, known);
        match(shown, known.result);
        if (known.permissions.length === 0) match(shown, /unknown.*EACCES EACCES EACCES EACCES EACCES EACCES EACCES/);
        ok(!shown.replace(/GOT=.*/, "").includes("sec"), shown);
        equal(await Deno.readTextFile(`${file}.after`), await Deno.readTextFile(`${file}.before`), "settings");
      });
    }
    await Deno.remove(folder, { recursive: true });
  },
});

Deno.test({
  name: "readPassword() without a terminal says so",
  ignore: !hasProgram("setsid"),
  async fn() {
    const file = await Deno.makeTempFile({ suffix: ".ts" });
    await Deno.writeTextFile(file, PROGRAM);
    const args = [Deno.execPath(), "run", "-A", "--no-check", file];
    const { stdout } = await new Deno.Command("setsid", { args: ["--wait", ...args], stdin: "null" }).output();
    match(new TextDecoder().decode(stdout), /FAILED=password_missing/);
    await Deno.remove(file);
  },
});
