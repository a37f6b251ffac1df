/** The plugins as they lie here; `deno task plugins --check` compares them with what their compilers make. */
import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { join } from "node:path";
import { systemClock } from "../src/base/clock.ts";
import { admit } from "../src/plugins/admission.ts";
import { testPlugin } from "../src/plugins/conformance.ts";
import { plugins, readRecord, sha256, sourcesHash } from "./built.ts";

Deno.test("every plugin is recorded, and nothing else is", () => {
  deepEqual(Object.keys(readRecord()), plugins().map(({ id }) => id));
});

for (const plugin of plugins()) {
  const { id, file, folder, compiler } = plugin;
  const bytes = Deno.readFileSync(file);

  Deno.test(`${id} was built of its sources by the pinned compiler; if not: deno task plugins ${id}`, () => {
    deepEqual(readRecord()[id], { sources: sourcesHash(plugin), wasm: sha256(bytes), compiler: compiler.pinned });
  });

  Deno.test(`${id} says what it is, and under which licences`, () => {
    equal(admit(bytes).manifest.pluginId, id);
    match(Deno.readTextFileSync(join(folder, "README.md")), new RegExp(`^# ${id}\n`));
    match(Deno.readTextFileSync(join(folder, "LICENSES.txt")), /copyright/i);
  });

  Deno.test(`${id} keeps every rule`, async () => {
    const findings = await testPlugin(admit(bytes), { clock: systemClock });
    deepEqual(findings.filter(({ state }) => state === "failed"), []);
  });
}

Deno.test("a cipher in Rust begins as encryption_xchacha20 is", async () => {
  const read = (path: string) => Deno.readTextFile(new URL(path, import.meta.url));
  const own = await read("encryption_xchacha20/src/lib.rs");
  const template = await read("../plugin-pdk/rust/templates/encryption.rs");
  equal(own.replace(/^#\[path = .*\n/, "").replaceAll(/\bXChaCha20\b/g, "Plugin"), template);
});
