import { deepStrictEqual as deepEqual } from "node:assert/strict";
import { parseArguments } from "./arguments.ts";
import { type AnyCommand, defineCommand } from "./command.ts";

Deno.test("defineCommand() gives parse() the types that the flags declare", () => {
  const command = defineCommand({
    name: "x",
    summary: "",
    usage: "",
    arguments: [],
    flags: [
      { long: "tag", type: "text", repeatable: true, description: "" },
      { long: "keep", type: "integer", description: "" },
      { long: "size", type: "size", default: "1 KiB", description: "" },
      { long: "mode", type: "choice", choices: ["a", "b"], default: "a", description: "" },
      { long: "other", type: "choice", choices: ["c"], description: "" },
      { long: "all", type: "boolean", description: "" },
      { long: "time", type: "time", description: "" },
    ],
    examples: [],
    parse(values) {
      const tags: readonly string[] = values.tag;
      const keep: number | undefined = values.keep;
      const size: number = values.size;
      const mode: "a" | "b" = values.mode;
      const other: "c" | undefined = values.other;
      const all: boolean = values.all;
      const time: string | undefined = values.time;
      // @ts-expect-error no such flag
      const missing = values.al;
      // @ts-expect-error not every flag has a value
      const certain: number = values.keep;
      return [tags, keep, size, mode, other, all, time, missing, certain];
    },
    run: (options) => Promise.resolve(options.length),
    render: (result) => result.toFixed(0),
    json: (result) => result,
  });
  const { values } = parseArguments(["--tag", "x", "--all"], command as AnyCommand, () => undefined);
  deepEqual(command.parse(values, []), [["x"], undefined, 1024, "a", undefined, true, undefined, undefined, undefined]);
});
