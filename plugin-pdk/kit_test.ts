/**
 * What `axiom plugin new` writes is built by the command in its README, packed and tried, and so are the examples. Where a
 * compiler is absent, its tests are named as ignored. `deno task test:kit`
 */
import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "../src/base/clock.ts";
import { utf8 } from "../src/base/bytes.ts";
import { admit, type AdmittedPlugin } from "../src/plugins/admission.ts";
import { testPlugin } from "../src/plugins/conformance.ts";
import { contextsOf } from "../src/plugins/conformance_contexts.ts";
import { noise, text } from "../src/plugins/conformance_samples.ts";
import { LANGUAGES, languagesFor } from "../src/plugins/kit.ts";
import { CATEGORIES } from "../src/plugins/manifest_schema.ts";
import { openPlugin } from "../src/plugins/open_plugin.ts";
import { packPlugin } from "../src/plugins/pack.ts";
import { runWith } from "../src/plugins/wasm_run.ts";
import { wasmCodec } from "../src/plugins/wasm_codec.ts";
import { WORK } from "../plugins/built.ts";
import { COMPILERS } from "../plugins/compilers.ts";
import { PROGRAM } from "../tests/e2e/program.ts";

const KIT = fileURLToPath(new URL(".", import.meta.url));

async function run(line: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const [program, ...args] = line;
  const { success, stdout, stderr } = await new Deno.Command(program, { args, cwd, env }).output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  ok(success, `${line.join(" ")}\n${said}`);
  return said;
}

/** What an operation says arrives as it is, whatever the language. */
async function getsTheContext(file: string): Promise<void> {
  const plugin = admit(await Deno.readFile(file)), { manifest: { pluginId, version }, sha256 } = plugin;
  const pool = openPlugin(plugin, { granted: [], configuration: {}, instancesMax: 1, clock: systemClock });
  const message = 'Saved snapshot 5a5a5a5a\n"quoted" \\ and ü 文 😀';
  const context = { ...contextsOf("processing")[1].context, message };
  const { metrics } = await runWith({ pluginId, version, sha256 }, context, (call) => pool.call(call));
  await pool.close();
  deepEqual(metrics, { message_bytes: utf8(message).length });
}

for (const language of LANGUAGES) {
  const compiler = COMPILERS[language];
  const isThere = await compiler.find() !== undefined;
  const categories = CATEGORIES.filter((category) => languagesFor(category).includes(language));

  Deno.test({
    name: `${language}: a new plugin of each category builds by its README and keeps every rule`,
    ignore: !isThere,
    async fn(t) {
      const place = await Deno.makeTempDir({ prefix: "axiom-kit-" });
      try {
        for (const category of categories) {
          await t.step(category, async () => {
            const folder = join(place, `my_${category}`);
            await run([...PROGRAM, "plugin", "new", "--lang", language, "--category", category, folder], place);
            const readme = await Deno.readTextFile(join(folder, "README.md"));
            const [build, ...others] = readme.match(/(?<=^ {4})\S.*$/gm)!.slice(0, 3);
            await run(["sh", "-c", build], folder, {
              ...compiler.environment,
              CARGO_TARGET_DIR: join(place, "target"),
            });
            // One library for all of the projects in Rust.
            if (language === "rust") await Deno.symlink(join(place, "target"), join(folder, "target"));
            for (const line of others) await run([...PROGRAM, ...line.split(" ").slice(1)], folder);
            if (category === "processing") await getsTheContext(join(folder, "my_processing.wasm"));
          });
        }
      } finally {
        await Deno.remove(place, { recursive: true });
      }
    },
  });
}

const examples = new Map<string, AdmittedPlugin>();

for (const language of LANGUAGES) {
  const compiler = COMPILERS[language];
  Deno.test({
    name: `${language}: the example keeps every rule`,
    ignore: await compiler.find() === undefined,
    async fn() {
      const folder = join(KIT, language, "example"), made = await Deno.makeTempDir({ prefix: "axiom-kit-" });
      try {
        for (const { line, env } of compiler.build(folder, join(made, "example.wasm"), WORK)) {
          await run(line, folder, env);
        }
        const yaml = { name: "plugin.yaml", data: await Deno.readFile(join(folder, "plugin.yaml")) };
        const module = { name: "example.wasm", data: await Deno.readFile(join(made, "example.wasm")) };
        const { plugin } = packPlugin(module, yaml);
        const findings = await testPlugin(plugin, { clock: systemClock });
        deepEqual(findings.filter(({ state }) => state !== "ok"), []);
        examples.set(language, plugin);
      } finally {
        await Deno.remove(made, { recursive: true });
      }
    },
  });
}

Deno.test("the examples make the same bytes, whichever the language", async () => {
  const made = new Map<string, string[]>();
  for (const [language, plugin] of examples) {
    const pool = openPlugin(plugin, { granted: [], configuration: {}, instancesMax: 1, clock: systemClock });
    const codec = wasmCodec(pool, plugin.manifest);
    const samples = [text(100_000), noise(10_000), new Uint8Array(70_000), new Uint8Array(0)];
    const stored = await Promise.all(samples.map((data) => codec.encode(data, 0)));
    made.set(language, stored.map((bytes) => bytes.toHex?.() ?? Array.from(bytes).join()));
    await pool.close();
  }
  const [first, ...others] = made.values();
  for (const other of others) deepEqual(other, first);
  equal(made.size, examples.size);
});
