/** The folder in which an author begins; that what is in it builds, `plugin-pdk/kit_test.ts` shows. */
import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { onMachine } from "./program.ts";

Deno.test(
  "axiom plugin new makes a folder with everything, once",
  onMachine(async (machine) => {
    const begin = (...args: string[]) => machine.run(["plugin", "new", ...args]);
    const told = await begin("--lang", "rust", "--category", "filter", "deep/my_filter", "--json");
    equal(told.code, 0, told.stderr);
    const { plugin_id, files, commands } = told.json();
    deepEqual([plugin_id, commands[0]], ["my_filter", "cargo build --release"]);
    for (const name of files) ok((await Deno.stat(machine.path("deep", "my_filter", name))).size > 0, name);
    match(await Deno.readTextFile(machine.path("deep/my_filter/Cargo.toml")), /^name = "my_filter"$/m);
    match(await Deno.readTextFile(machine.path("deep/my_filter/plugin.yaml")), /^category: filter$/m);

    const shown = await begin("--lang", "c", "--category", "compression", "my_codec");
    match(
      shown.stdout,
      /^Made .*my_codec, which needs Node\.js.* There, run\n {2}npx .*\n {2}axiom plugin pack out\.wasm\n/,
    );

    await Deno.writeTextFile(machine.path("my_codec", "main.c"), "mine");
    const again = await begin("--lang", "c", "--category", "compression", "my_codec");
    equal(again.code, 1);
    match(again.stderr, /Cannot make .*my_codec: it exists already\n {2}hint: /);
    equal(await Deno.readTextFile(machine.path("my_codec", "main.c")), "mine");
  }),
);

const WRONG: { args: string[]; stderr: RegExp }[] = [
  {
    args: ["--lang", "c", "--category", "encryption", "a_b_c"],
    stderr: /for encryption in c: .*\n {2}hint: .*go or --lang rust or --lang zig/,
  },
  {
    args: ["--lang", "c", "--category", "filter", "My-Filter"],
    stderr: /"My-Filter" is no id\n {2}hint: Choose an id such as/,
  },
  { args: ["--lang", "c", "x_y_z"], stderr: /--category is missing/ },
  {
    args: ["--category", "filter", "x_y_z"],
    stderr: /--lang is missing\n {2}hint: axiom plugin new --lang rust --category filter x_y_z/,
  },
  { args: ["--lang", "cobol", "--category", "filter", "x_y_z"], stderr: /cobol/ },
];

Deno.test(
  "axiom plugin new says what is wrong, and makes nothing",
  onMachine(async (machine, t) => {
    for (const { args, stderr } of WRONG) {
      await t.step(args.join(" "), async () => {
        const before = [...Deno.readDirSync(machine.folder)].length;
        const ended = await machine.run(["plugin", "new", ...args]);
        equal(ended.code, 2, ended.stderr);
        match(ended.stderr, stderr);
        equal([...Deno.readDirSync(machine.folder)].length, before);
      });
    }
  }),
);
