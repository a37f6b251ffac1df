/** Plugins that cannot be used, or no longer: what is said, and that nothing is lost. */
import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { createHash } from "node:crypto";
import { PacedBackup } from "./paced_backup.ts";
import { CODEC_ID, toyCodec, writePlugin, writeRuns } from "./plugin_fixture.ts";
import { onMachine } from "./program.ts";

const unix = Deno.build.os !== "windows";
const shortSha = (module: Uint8Array) => createHash("sha256").update(module).digest("hex").slice(0, 12);

Deno.test(
  "what is refused before it runs ends the command with 14, and plugin, version and hash are named",
  onMachine(async (machine, t) => {
    const withoutVerb = toyCodec(1, { without: ["teardown"] });
    const cases = [
      { name: "a manifest with an unknown key", module: toyCodec(1, {}, { colour: "red" }), text: /colour/ },
      { name: "a version that is none", module: toyCodec(1, {}, { version: "one" }), text: /version: / },
      { name: "an unknown ABI", module: toyCodec(1, {}, { engines: { axiom: "*", abi: 2 } }), text: /engines\.abi: / },
      { name: "a missing verb", module: withoutVerb, text: /compression_toy 1\.0\.1 .*teardown/ },
      {
        name: "a dependency that is missing",
        module: toyCodec(1, {}, { dependencies: [{ plugin_id: "hash_xxh", version: "^2.1" }] }),
        text: /compression_toy 1\.0\.1.*hash_xxh/,
      },
      { name: "no module at all", module: new Uint8Array(100), text: /no WASM module|magic/ },
    ];
    for (const { name, module, text } of cases) {
      await t.step(name, async () => {
        const { code, stderr } = await machine.run(["plugin", "load", await writePlugin(machine, "x.wasm", module)]);
        equal(code, 14, stderr);
        match(stderr, text);
        match(stderr, new RegExp(`x\\.wasm|${shortSha(module)}`));
        equal((await machine.run(["plugin", "list", "--json"])).json().length, 0);
      });
    }
  }),
);

Deno.test({
  name: "a module that vanishes while a backup uses it: that one ends well, the next one says what is gone",
  ignore: !unix,
  fn: onMachine(async (machine) => {
    const source = machine.path("source"), module = toyCodec(1);
    await writeRuns(source, 2, 1_500_000);
    equal((await machine.run(["init"])).code, 0);
    equal((await machine.run(["plugin", "load", await writePlugin(machine, "toy.wasm", module)])).code, 0);
    const backup = new PacedBackup(machine, "--compression", CODEC_ID);
    await backup.feed(12);
    const modules = `${machine.home}/.local/share/axiom/plugins/modules`;
    for (const { name } of [...Deno.readDirSync(modules)]) await Deno.remove(`${modules}/${name}`);
    await backup.feed(12);
    await backup.finish();
    await machine.run(["plugin", "load", machine.path("toy.wasm")]);
    await backup.assertRestores(machine);
    for (const { name } of [...Deno.readDirSync(modules)]) await Deno.remove(`${modules}/${name}`);
    const next = await machine.run(["backup", source, "--compression", CODEC_ID]);
    equal(next.code, 14, next.stderr);
    match(next.stderr, new RegExp(`${CODEC_ID} 1\\.0\\.1 \\(sha256 ${shortSha(module)}\\): its file is gone`));
    equal((await machine.run(["snapshots", "--json"])).json().length, 1);
    await machine.run(["plugin", "unload", CODEC_ID]);
    equal((await machine.run(["plugin", "load", machine.path("toy.wasm")])).code, 0);
    const again = await machine.run(["backup", source, "--compression", CODEC_ID]);
    equal(again.code, 0, again.stderr);
    deepEqual((await machine.run(["check", "--read-data"])).code, 0);
  }),
});
