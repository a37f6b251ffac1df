import { deepStrictEqual as deepEqual, match, rejects, strictEqual as equal, throws } from "node:assert/strict";
import { join } from "node:path";
import { fromUtf8, utf8 } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { admit } from "./admission.ts";
import {
  build,
  custom,
  exported,
  GOOD,
  join as bytesOf,
  MANIFEST,
  ORDER,
  section,
  vector,
} from "./admission_fixture.ts";
import { packPlugin } from "./pack.ts";
import { readPluginFile } from "./plugin_file.ts";
import { replaceModule } from "./replace_module.ts";
import { customSections, readWasm } from "./wasm_module.ts";

const YAML = Object.entries(MANIFEST).map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`).join("");
const yaml = (text = YAML) => ({ name: "plugin.yaml", data: utf8(text) });
const bare = bytesOf(build().slice(0, 8), ...ORDER.map((id) => GOOD[id] === undefined ? [] : section(id, GOOD[id])));
const manifestsOf = (data: Uint8Array) => customSections(readWasm(data), data, "axiom:manifest@1").map(fromUtf8);

Deno.test("packPlugin() puts the manifest in front, and again in place of the old one", () => {
  const { bytes, plugin } = packPlugin({ name: "a.wasm", data: bare }, yaml());
  equal(plugin.sha256, admit(bytes).sha256);
  deepEqual(manifestsOf(bytes).map((each) => JSON.parse(each)), [MANIFEST]);
  deepEqual(packPlugin({ name: "a.wasm", data: bytes }, yaml()).bytes, bytes);
  const next = packPlugin({ name: "a.wasm", data: bytes }, yaml(YAML.replace("1.2.3", "1.3.0")));
  equal(next.plugin.manifest.version, "1.3.0");
  equal(manifestsOf(next.bytes).length, 1);
  const other = bytesOf(bare, custom("name", Uint8Array.of(1)));
  equal(packPlugin({ name: "a.wasm", data: other }, yaml()).bytes.length, bytes.length + other.length - bare.length);
});

Deno.test("packPlugin() packs nothing that would be refused", async (t) => {
  const cases: [name: string, data: Uint8Array<ArrayBuffer>, text: string, message: RegExp][] = [
    ["no module", utf8("#!/bin/sh"), YAML, /^Cannot pack a.wasm: it is no WASM module/],
    [
      "a wrong manifest",
      bare,
      YAML.replace('"compression"', "x"),
      /^Cannot use plugin.yaml: .* line 4: category: expected/,
    ],
    [
      "a wrong module",
      build({ 7: vector(exported("memory", 2, 0)) }),
      YAML,
      /^Cannot use compression_copy 1.2.3 \(a.wasm, .*axiom_abi_1/,
    ],
  ];
  for (const [name, data, text, message] of cases) {
    await t.step(name, () => {
      throws(() => packPlugin({ name: "a.wasm", data }, yaml(text)), (error) => {
        match((error as AxiomError).message, message);
        return error instanceof AxiomError && error.kind === "plugin_refused";
      });
    });
  }
});

Deno.test("readPluginFile() gives a module without manifest that of plugin.yaml beside it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "a.wasm");
    await Deno.writeFile(path, bare);
    equal((await readPluginFile(path)).data.length, bare.length);
    await Deno.writeTextFile(join(folder, "plugin.yaml"), YAML);
    equal(admit((await readPluginFile(path)).data).manifest.pluginId, "compression_copy");
    await Deno.writeFile(path, build({}, { ...MANIFEST, version: "9.0.0" }));
    equal(admit((await readPluginFile(path)).data).manifest.version, "9.0.0");
    await rejects(readPluginFile(join(folder, "none.wasm")), /there is no such file/);
    await rejects(readPluginFile(folder), /Cannot read .*a folder/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("replaceModule() replaces a module and nothing else", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "a.wasm");
    await replaceModule(path, bare);
    await replaceModule(path, build());
    deepEqual(new Uint8Array(await Deno.readFile(path)), build());
    const notes = join(folder, "notes.txt");
    await Deno.writeTextFile(notes, "mine");
    await rejects(replaceModule(notes, bare), /another file has that name/);
    equal(await Deno.readTextFile(notes), "mine");
    await rejects(replaceModule(join(folder, "none", "a.wasm"), bare), AxiomError);
    deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["a.wasm", "notes.txt"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
