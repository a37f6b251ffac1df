import { deepStrictEqual as deepEqual } from "node:assert/strict";
import { LIMITS } from "../base/limits.ts";
import { hasProgram, isLinux } from "./file_system_fixture.ts";

const PROGRAM = `
  import { onTermination } from ${JSON.stringify(import.meta.resolve("./termination.ts"))};
  const stop = onTermination((signal) => console.log(signal));
  console.log("listening");
  for await (const _ of Deno.stdin.readable);
  stop();
  stop();
`;

interface Case {
  name: string;
  command: string[];
  /** Each with what is awaited before the next one, and how long after that this comes. */
  sent: [signal: Deno.Signal, awaited?: string, pauseMs?: number][];
  heard: string[];
}

/** In a process of its own: all tests of this one would hear the signals. */
async function heardBy({ command, sent }: Case, file: string): Promise<string[]> {
  const [program, ...args] = [...command, Deno.execPath(), "run", "-A", "--no-check", file];
  const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped", stderr: "null" }).spawn();
  const lines: string[] = [];
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const until = async (line: string) => {
    while (!lines.includes(line)) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`It ended with ${lines.join(" ")}`);
      lines.push(...value.split("\n").filter((each) => each !== ""));
    }
  };
  await until("listening");
  for (const [signal, awaited, pauseMs = 0] of sent) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    child.kill(signal);
    if (awaited !== undefined) await until(awaited);
  }
  await child.stdin.close();
  await until("").catch(() => {}); // the rest
  await child.status;
  return lines.slice(1);
}

Deno.test({
  name: "onTermination() hears what asks to end, that the terminal is gone once, and under nohup not at all",
  ignore: !isLinux || !hasProgram("nohup"),
  async fn(t) {
    const file = await Deno.makeTempFile({ suffix: ".ts" });
    await Deno.writeTextFile(file, PROGRAM);
    const cases: Case[] = [
      { name: "SIGINT", command: [], sent: [["SIGINT", "SIGINT"]], heard: ["SIGINT"] },
      {
        name: "SIGINT once, told twice",
        command: [],
        sent: [["SIGINT"], ["SIGINT", "SIGINT"], ["SIGTERM", "SIGTERM"]],
        heard: ["SIGINT", "SIGTERM"],
      },
      {
        name: "SIGINT twice",
        command: [],
        sent: [["SIGINT", "SIGINT"], ["SIGINT", undefined, 2 * LIMITS.sameInterruptMs], ["SIGTERM", "SIGTERM"]],
        heard: ["SIGINT", "SIGINT", "SIGTERM"],
      },
      {
        name: "SIGHUP twice",
        command: [],
        sent: [["SIGHUP", "SIGHUP"], ["SIGHUP"], ["SIGTERM", "SIGTERM"]],
        heard: ["SIGHUP", "SIGTERM"],
      },
      { name: "nohup", command: ["nohup"], sent: [["SIGHUP"], ["SIGTERM", "SIGTERM"]], heard: ["SIGTERM"] },
    ];
    for (const each of cases) await t.step(each.name, async () => deepEqual(await heardBy(each, file), each.heard));
    await Deno.remove(file);
  },
});
