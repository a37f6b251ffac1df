/** `axiom plugin test` as people run it. */
import { match, strictEqual as equal } from "node:assert/strict";
import { CIPHER, manifestSection } from "../../src/plugins/plugin_fixture.ts";
import { toyCipher } from "../../src/plugins/toy_cipher_fixture.ts";
import { LOOP_FOR_EVER, pluginModule, type PluginParts, TAGGED } from "../../src/plugins/wasm_fixture.ts";
import { onMachine } from "./program.ts";

const CASES: {
  name: string;
  parts: PluginParts;
  manifest?: Record<string, unknown>;
  code: number;
  stdout: RegExp;
  stderr?: RegExp;
}[] = [
  { name: "a codec", parts: { execute: TAGGED }, code: 0, stdout: /compression_test 1\.2\.3 keeps every rule/ },
  {
    name: "a cipher",
    parts: { execute: toyCipher(), memory: { minimum: 220 } },
    manifest: CIPHER,
    code: 0,
    stdout: /ok {5}refuses every flipped bit/,
  },
  {
    name: "an endless loop",
    parts: { execute: LOOP_FOR_EVER },
    manifest: { limits: { call_ms: 100 } },
    code: 14,
    stdout:
      /FAILS .* compression_test 1\.2\.3 \(sha256 [0-9a-f]{12}\): deadline: .*\n[^]*breaks 1 rule; \d+ checks left out/,
  },
  {
    name: "a module without a verb",
    parts: { without: ["execute"] },
    code: 14,
    stdout: /^$/,
    stderr: /it does not export execute\n {2}hint: /,
  },
];

Deno.test(
  "axiom plugin test ends with 14 where a rule is broken",
  onMachine(async (machine, t) => {
    for (const { name, parts, manifest, code, stdout, stderr = /^$/ } of CASES) {
      await t.step(name, async () => {
        const file = machine.path("plugin.wasm");
        await Deno.writeFile(file, pluginModule({ ...parts, sections: [manifestSection(manifest)] }));
        const ended = await machine.run(["plugin", "test", "plugin.wasm"]);
        match(ended.stderr, stderr);
        match(ended.stdout, stdout);
        equal(ended.code, code);
      });
    }
  }),
);

Deno.test(
  "axiom plugin test tells programs each check",
  onMachine(async (machine) => {
    const sections = [manifestSection()];
    await Deno.writeFile(machine.path("plugin.wasm"), pluginModule({ execute: TAGGED, sections }));
    const told = (await machine.run(["plugin", "test", "--json", "plugin.wasm"])).json();
    equal(told.plugin_id, "compression_test");
    equal(told.passed, true);
    equal(told.checks.length > 15, true);
    equal(told.checks.every((each: { state: string }) => each.state === "ok"), true);
  }),
);
