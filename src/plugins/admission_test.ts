import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal, throws } from "node:assert/strict";
import { createHash } from "node:crypto";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { admit } from "./admission.ts";
import { BROKEN, build, custom, exported, imported, MANIFEST, vector } from "./admission_fixture.ts";

function refused(act: () => unknown, message: RegExp): void {
  throws(act, (error) => {
    ok(error instanceof AxiomError, String(error));
    equal(error.kind, "plugin_refused");
    equal(error.exitCode, 14);
    match(error.message, message);
    ok(error.hint);
    return true;
  });
}

Deno.test("admit() refuses a module that breaks a rule", async (t) => {
  for (const { rule, bytes, message } of BROKEN) await t.step(rule, () => refused(() => admit(bytes), message));
  await t.step("it is not too large", () => {
    refused(() => admit(new Uint8Array(LIMITS.pluginModuleBytesMax + 1)), /has 33554433 bytes, 33554432 are allowed/);
  });
  await t.step("whatever byte is cut off or changed, it is refused or admitted, never a bug", () => {
    const bytes = build();
    for (let at = 0; at < bytes.length; at++) {
      for (const change of [1, 0x80, 0xff]) {
        const changed = bytes.slice();
        changed[at] ^= change;
        for (const each of [changed, bytes.slice(0, at)]) {
          try {
            ok(WebAssembly.validate(admit(each).code));
          } catch (error) {
            ok(error instanceof AxiomError, `byte ${at}: ${error}`);
          }
        }
      }
    }
  });
});

Deno.test("admit() tells what it saw", () => {
  const bytes = build();
  const { manifest, sha256, imports, limits } = admit(bytes);
  equal(sha256, createHash("sha256").update(bytes).digest("hex"));
  deepEqual(imports, ["axiom:host/io@1 read", "axiom:host/io@1 write"]);
  deepEqual(limits, { memoryPages: LIMITS.pluginMemoryPagesDefault, callMs: LIMITS.pluginCallMsDefault });
  equal(manifest.pluginId, "compression_copy");
  refused(
    () => admit(build({ 8: [2] }), { name: "x.wasm" }),
    /^Cannot use compression_copy 1.2.3 \(x.wasm, sha256 [0-9a-f]{16}…\): /,
  );
  refused(
    () => admit(build({ 8: [2], 7: [0] })),
    /start function.*; it does not export its memory; it does not export axiom_abi_1/,
  );
});

const HOST = { "axiom:host/io@1": { read: () => 0, write: () => 0 } };

async function run(code: Uint8Array<ArrayBuffer>, imports: WebAssembly.Imports = HOST) {
  return (await WebAssembly.instantiate(code, imports)).instance.exports;
}

Deno.test("the memory of what is compiled ends at the limit, whatever the module says", async (t) => {
  const cases: [
    name: string,
    memory: number[],
    asked: number | undefined,
    ceiling: number | undefined,
    pages: number,
  ][] = [
    ["no maximum", [0, 1], 4, undefined, 4],
    ["a larger one", [1, 1, 100], 4, undefined, 4],
    ["a smaller one", [1, 1, 2], 4, undefined, 2],
    ["the host gives less", [0, 1], 200, 3, 3],
    ["nothing asked for", [0, 1], undefined, undefined, LIMITS.pluginMemoryPagesDefault],
  ];
  for (const [name, memory, asked, ceiling, pages] of cases) {
    await t.step(name, async () => {
      const bytes = build({ 5: vector(memory) }, { ...MANIFEST, limits: { memory_pages: asked } });
      const { code } = admit(bytes, ceiling === undefined ? {} : { limits: { memoryPages: ceiling } });
      const { memory: made } = await run(code) as { memory: WebAssembly.Memory };
      equal(made.grow(pages - 1), 1);
      throws(() => made.grow(1), RangeError);
    });
  }
});

Deno.test("tables end at a limit too", async () => {
  const bytes = build({
    4: vector([0x70, 0, 5], [0x6f, 1, 1, 2]),
    7: vector(...exportsOf(), exported("table", 1, 0), exported("small", 1, 1)),
  });
  const { table, small } = await run(admit(bytes).code) as { table: WebAssembly.Table; small: WebAssembly.Table };
  throws(() => table.grow(LIMITS.pluginTableEntriesMax), RangeError);
  throws(() => small.grow(2), RangeError);
  small.grow(1);
});

function exportsOf() {
  const verbs = ["axiom_abi_1", "initialize", "validate", "execute", "teardown"];
  return [exported("memory", 2, 0), ...verbs.map((name) => exported(name, 0, 2))];
}

Deno.test("what the SDK would act upon gets another name, and only names are kept of custom sections", () => {
  const bytes = build(
    {
      2: vector(imported("wasi_snapshot_preview1", "fd_write", 1), imported("axiom:host/io@1", "read", 1)),
      7: vector(...exportsOf(), exported("_initialize", 0, 2)),
    },
    undefined,
    custom("name", Uint8Array.of()),
    custom(".debug_info", Uint8Array.of(1, 2, 3)),
  );
  const { code, imports } = admit(bytes);
  const module = new WebAssembly.Module(code);
  deepEqual(imports, ["wasi_snapshot_preview1 fd_write", "axiom:host/io@1 read"]);
  deepEqual(WebAssembly.Module.imports(module).map(({ module }) => module), [
    "axiom:host/wasi-stub@1",
    "axiom:host/io@1",
  ]);
  const names = WebAssembly.Module.exports(module).map(({ name }) => name);
  equal(names.includes("_initialize"), false);
  equal(names.includes("axiom_start"), true);
  equal(WebAssembly.Module.customSections(module, "name").length, 1);
  for (const gone of [".debug_info", "axiom:manifest@1"]) {
    equal(WebAssembly.Module.customSections(module, gone).length, 0);
  }
});

Deno.test("a stock module of Extism needs no verbs, and its http_request is another's", () => {
  const manifest = {
    manifest: 1,
    plugin_id: "count_vowels",
    version: "1.0.0",
    category: "processing",
    description: "Counts vowels",
    engines: { axiom: "*", abi: "extism" },
  };
  const changes = {
    2: vector(imported("extism:host/env", "http_request", 1), imported("extism:host/env", "length", 1)),
    7: vector(exported("memory", 2, 0), exported("count_vowels", 0, 2)),
  };
  const { code } = admit(build(changes, manifest));
  deepEqual(WebAssembly.Module.imports(new WebAssembly.Module(code)).map(({ name }) => name), [
    "http_refused",
    "length",
  ]);
});

Deno.test("a declared capability may be imported, granted or not", () => {
  const { format_id: _, ...rest } = MANIFEST;
  const manifest = { ...rest, plugin_id: "storage_x", category: "storage", capabilities: [{ name: "net.http" }] };
  const bytes = build(
    { 2: vector(imported("axiom:host/io@1", "read", 1), imported("axiom:host/http@1", "send", 1)) },
    manifest,
  );
  equal(admit(bytes).manifest.capabilities[0].name, "net.http");
});
