import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { utf8 } from "../base/bytes.ts";
import { LANGUAGES, languagesFor, newProject } from "./kit.ts";
import { readManifest } from "./manifest.ts";
import { CATEGORIES } from "./manifest_schema.ts";
import { readManifestYaml } from "./manifest_yaml.ts";

Deno.test("every category has a template in every language, ciphers where there is a library for them", () => {
  for (const category of CATEGORIES) {
    deepEqual(languagesFor(category), category === "encryption" ? ["go", "rust", "zig"] : LANGUAGES);
  }
});

for (const category of CATEGORIES) {
  Deno.test(`a new plugin for ${category} has a manifest that is right, and a README with its commands`, async (t) => {
    for (const language of languagesFor(category)) {
      await t.step(language, () => {
        const { files, commands } = newProject(language, category, "my_own_one");
        const manifest = readManifest(readManifestYaml(utf8(files["plugin.yaml"])).value);
        deepEqual([manifest.pluginId, manifest.category, manifest.version], ["my_own_one", category, "0.1.0"]);
        equal(commands.length, 3);
        for (const command of commands) ok(files["README.md"].includes(`\n    ${command}\n`), command);
        match(files["README.md"], /^# my_own_one\n/);
        match(files["README.md"], /\n {4}axiom plugin dev --watch .*\.wasm -- (npx|env GOOS|cargo)\b/);
        const texts = Object.entries(files).filter(([path]) => path !== "abi.md");
        deepEqual(texts.filter(([, text]) => text.includes("my_plugin")), []);
        equal(Object.values(files).every((text) => typeof text === "string" && text.endsWith("\n")), true);
      });
    }
  });
}
