/** `axiom plugin test` as people run it. */
import { match, strictEqual as equal } from "node:assert/strict";
import { CIPHER, manifestSection } from "../../src/plugins/plugin_fixture.ts";
import { toyCipher } from "../../src/plugins/toy_cipher_fixture.ts";
import { LOOP_FOR_EVER, pluginModule, type PluginParts, TAGGED } from "../../src/plugins/wasm_fixture.ts";
import { postmanServer } from "../../src/plugins/postman_fixture.ts";
import { rightAnswer, STORAGE_ID, toyStorage, toyStorageServer } from "../../src/plugins/toy_storage_fixture.ts";
import { streamAnswer, toySource } from "../../src/plugins/toy_source_fixture.ts";
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

Deno.test(
  "axiom plugin test tries storage and sources with what it is granted for the test",
  onMachine(async (machine) => {
    await using good = toyStorageServer();
    await using bad = toyStorageServer((objects, posted) => {
      if (posted.operation === "put") objects.delete(posted.header.key);
      return rightAnswer(objects, posted);
    });
    await using source = postmanServer((posted) => streamAnswer(new Map([["a", { data: new Uint8Array(9) }]]), posted));
    const asked = { config_schema: { type: "object", properties: { url: { type: "string" } }, required: ["url"] } };
    const repo = `${STORAGE_ID}+http://127.0.0.1:${good.port}/somewhere`;
    const cases: { module: Uint8Array; args: string[]; code: number; text: RegExp }[] = [
      {
        module: toyStorage(good.port),
        args: [],
        code: 14,
        text: /- {6}does what a plugin for storage has to do .*net\.http/,
      },
      { module: toyStorage(good.port), args: ["--grant-all"], code: 0, text: /keeps every rule that was tried$/ },
      {
        module: toyStorage(bad.port),
        args: ["--grant-all"],
        code: 14,
        text: /FAILS +writes once .*\n[^]*breaks 2 rules/,
      },
      {
        module: toySource(source.port),
        args: ["--grant-all"],
        code: 0,
        text: /ok +gives the same bytes again .*streams: 1, with 9 B/,
      },
      {
        module: toyStorage(good.port, "/", asked),
        args: ["--grant-all"],
        code: 2,
        text: /its options are wrong: .*url/,
      },
      { module: toyStorage(good.port, "/", asked), args: ["--grant-all", "--repo", repo], code: 0, text: /every rule/ },
      { module: toyStorage(good.port), args: ["--private"], code: 2, text: /--grant-all is missing/ },
    ];
    for (const { module, args, code, text } of cases) {
      await Deno.writeFile(machine.path("plugin.wasm"), module);
      const ended = await machine.run(["plugin", "test", ...args, "plugin.wasm"]);
      match((ended.stdout + ended.stderr).trim(), text);
      equal(ended.code, code);
    }
    equal(good.objects.size, 0);
  }),
);
