/** A module that a compiler made, until it is a plugin that people can look at. */
import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { COPY, op, pluginModule } from "../../src/plugins/wasm_fixture.ts";
import { onMachine } from "./program.ts";

const YAML = `manifest: 1
plugin_id: compression_copy
version: 1.0.0
category: compression
description: Copies what it gets
engines: { axiom: ">=0.1 <2", abi: 1 }
format_id: copy-1
`;

Deno.test(
  "a module is packed with its plugin.yaml, looked at, and refused for what is wrong in either",
  onMachine(async (machine) => {
    const plugin = async (code: number, ...args: string[]) => {
      const ended = await machine.run(["plugin", ...args]);
      equal(ended.code, code, `plugin ${args.join(" ")}: ${ended.stderr}${ended.stdout}`);
      ok(!/\bat (file|ext):|\.ts:\d+/.test(ended.stderr), ended.stderr);
      return ended;
    };
    const yaml = (text: string) => Deno.writeTextFile(machine.path("plugin.yaml"), text);
    await Deno.writeFile(machine.path("out.wasm"), pluginModule({ execute: [...COPY, op.const(0)] }));
    const bare = await plugin(14, "info", "out.wasm");
    match(
      bare.stderr,
      /Cannot use the plugin \(.*out\.wasm, sha256 [0-9a-f]{16}…\): it has no manifest\n {2}hint: .*plugin pack/,
    );
    match((await plugin(1, "pack", "out.wasm")).stderr, /plugin\.yaml: there is no such file\n {2}hint: .*--manifest/);

    await yaml(YAML.replace("version: 1.0.0", "version: 1.0").replace("format_id", "formatid"));
    const wrong = await plugin(14, "pack", "out.wasm");
    match(wrong.stderr, /line 3: version: expected a version such as 1\.4\.0, of semver\.org, found 1\n/);
    match(wrong.stderr, /line 7: formatid: unknown key; did you mean format_id\?\n/);

    await yaml(YAML);
    const packed = (await plugin(0, "pack", "out.wasm", "--json")).json();
    deepEqual([packed.plugin_id, packed.version], ["compression_copy", "1.0.0"]);
    const told = (await plugin(0, "info", "compression_copy.wasm", "--json")).json();
    deepEqual([told.sha256, told.bytes, told.format_id], [packed.sha256, packed.bytes, "copy-1"]);
    match(
      (await plugin(0, "info", "compression_copy.wasm")).stdout,
      /^compression_copy 1\.0\.0: Copies what it gets\n/,
    );
    equal((await plugin(0, "pack", "compression_copy.wasm", "--json")).json().sha256, packed.sha256);
    equal((await plugin(0, "pack", "-q", "-o", "other.wasm", "out.wasm")).stdout, "");
    match(
      (await plugin(1, "pack", "-o", "plugin.yaml", "out.wasm")).stderr,
      /Cannot write .*another file has that name/,
    );

    await yaml(YAML.replace(">=0.1 <2", ">=2"));
    match(
      (await plugin(14, "pack", "out.wasm")).stderr,
      /line 6: engines\.axiom: it runs in AXIOM >=2, and this is 0\./,
    );
    const [last] = (await plugin(14, "info", "plugin.yaml", "--json")).stdout.trimEnd().split("\n").slice(-1);
    deepEqual([JSON.parse(last).kind, JSON.parse(last).exit_code], ["plugin_refused", 14]);
    const schema = (await machine.run(["config", "schema", "plugin"])).json();
    deepEqual(schema.required, ["manifest", "plugin_id", "version", "category", "description", "engines"]);
  }),
);
