import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal, throws } from "node:assert/strict";
import { utf8 } from "../base/bytes.ts";
import type { Json } from "../base/canonical_json.ts";
import { decodeManifest, ManifestFault, readManifest } from "./manifest.ts";
import { readManifestYaml } from "./manifest_yaml.ts";

const CODEC = {
  manifest: 1,
  plugin_id: "compression_lz4",
  version: "1.4.0",
  category: "compression",
  description: "LZ4 frame codec",
  engines: { axiom: ">=1 <2", abi: 1 },
  format_id: "lz4-frame-1",
};
const { format_id: _, ...REST } = CODEC;
const STORAGE = { ...REST, plugin_id: "storage_webdav", category: "storage" };
const CIPHER = { ...CODEC, category: "encryption", nonce_bytes: 24, overhead_bytes: 16 };

const read = (value: unknown) => readManifest(value as Json, "1.3.0");

Deno.test("readManifest() reads everything that may stand in one", () => {
  const full = {
    ...CODEC,
    dependencies: ["hash_abc", { plugin_id: "hash_xxh", version: "^2.1", optional: true }],
    capabilities: [{ name: "log", reason: "so" }],
    reads_formats: ["lz4-block-1"],
    limits: { memory_pages: 512, call_ms: 2000 },
    config_schema: {
      type: "object",
      additionalProperties: false,
      required: ["level"],
      properties: {
        level: { type: "integer", minimum: 1, maximum: 12, default: 3 },
        modes: { type: "array", items: { type: "string", enum: ["a", "b"] }, default: ["a"] },
        deep: { type: "object", properties: { x: { type: "number" } } },
      },
    },
  };
  deepEqual(read(full), {
    pluginId: "compression_lz4",
    version: "1.4.0",
    category: "compression",
    description: "LZ4 frame codec",
    engine: ">=1 <2",
    abi: 1,
    dependencies: [
      { pluginId: "hash_abc", version: "*", optional: false },
      { pluginId: "hash_xxh", version: "^2.1", optional: true },
    ],
    capabilities: [{ name: "log", reason: "so" }],
    formatId: "lz4-frame-1",
    readsFormats: ["lz4-block-1"],
    nonceBytes: undefined,
    overheadBytes: undefined,
    limits: { memoryPages: 512, callMs: 2000 },
    configSchema: full.config_schema,
  });
  equal(read(CIPHER).nonceBytes, 24);
  deepEqual(read(STORAGE).configSchema, { type: "object", additionalProperties: false, properties: {} });
});

const http = (more: object) => ({ ...STORAGE, capabilities: [{ name: "net.http", ...more }] });
const config = (properties: object, more: object = {}) => ({
  ...CODEC,
  config_schema: { type: "object", properties, ...more },
});

const WRONG: [name: string, manifest: unknown, ...messages: RegExp[]][] = [
  ["a list", [], /^expected a map, found a list$/],
  ["nothing", null, /^expected a map, found nothing$/],
  ["an empty one", {}, /manifest: is missing/, /plugin_id: is missing/, /engines: is missing/],
  ["an unknown key", { ...CODEC, capabilites: [] }, /^capabilites: unknown key; did you mean capabilities\?$/],
  ["an unknown key inside", { ...CODEC, limits: { memory: 1 } }, /^limits.memory: unknown key/],
  ["a key of every object", { ...CODEC, constructor: 1 }, /^constructor: unknown key$/],
  ["another manifest", { ...CODEC, manifest: 2 }, /^manifest: expected 1, found 2$/],
  ["an id with capitals", { ...CODEC, plugin_id: "Lz4" }, /^plugin_id: expected an id such as .*, found "Lz4"$/],
  ["an id with an end of line", { ...CODEC, plugin_id: "lz4_x\n" }, /^plugin_id: /],
  ["an id that is a path", { ...CODEC, plugin_id: "../../etc" }, /^plugin_id: /],
  ["a long id", { ...CODEC, plugin_id: "a".repeat(65) }, /^plugin_id: /],
  ["a version as a number", { ...CODEC, version: 1.4 }, /^version: expected a version such as 1.4.0.*, found 1.4$/],
  [
    "a version of two parts",
    { ...CODEC, version: "1.4" },
    /^version: expected a version such as 1.4.0.*, found "1.4"$/,
  ],
  [
    "an unknown category",
    { ...CODEC, category: "compress" },
    /^category: expected "compression", .*found "compress"; did you mean/,
  ],
  ["a description that obeys", { ...CODEC, description: "\x1b[2J" }, /^description: expected one line .*\\x1b/],
  ["a description that turns", { ...CODEC, description: "a\u202eb" }, /^description: expected one line/],
  [
    "another program's range",
    { ...CODEC, engines: { axiom: ">=2", abi: 1 } },
    /^engines.axiom: it runs in AXIOM >=2, and this is 1.3.0$/,
  ],
  [
    "no range",
    { ...CODEC, engines: { axiom: "new", abi: 1 } },
    /^engines.axiom: expected a range such as .*, found "new"$/,
  ],
  ["an unknown ABI", { ...CODEC, engines: { axiom: "*", abi: 2 } }, /^engines.abi: expected 1 or "extism", found 2$/],
  ["a codec of the stock kit", { ...CODEC, engines: { axiom: "*", abi: "extism" } }, /^category: expected processing/],
  [
    "a dependency on itself",
    { ...CODEC, dependencies: ["compression_lz4"] },
    /^dependencies\[0\]: it cannot depend on itself$/,
  ],
  [
    "a dependency twice",
    { ...CODEC, dependencies: ["abc", "abc"] },
    /^dependencies\[1\]: expected each plugin once, found "abc" again$/,
  ],
  [
    "a dependency that is a number",
    { ...CODEC, dependencies: [3] },
    /^dependencies\[0\]: expected an id .* or a map, found 3$/,
  ],
  [
    "a dependency's range",
    { ...CODEC, dependencies: [{ plugin_id: "abc", version: "x y" }] },
    /^dependencies\[0\].version: expected a range/,
  ],
  ["an unknown capability", http({ name: "net.tcp" }), /^capabilities\[0\].name: expected "log", .*found "net.tcp"/],
  [
    "a capability twice",
    { ...STORAGE, capabilities: [{ name: "kv" }, { name: "kv" }] },
    /^capabilities\[1\]: expected each capability once/,
  ],
  [
    "a codec that wants the network",
    { ...CODEC, capabilities: [{ name: "net.http", hosts: ["a"] }] },
    /^capabilities\[0\]: net.http is never allowed to a plugin of the category compression: only log is$/,
  ],
  [
    "a store that wants files",
    { ...STORAGE, capabilities: [{ name: "files" }] },
    /^capabilities\[0\]: files is never allowed .* log, net.http, kv, clock, metric are$/,
  ],
  [
    "hosts of something else",
    { ...STORAGE, capabilities: [{ name: "kv", hosts: ["a"] }] },
    /^capabilities\[0\].hosts: belongs to net.http, not to kv$/,
  ],
  ["folders of something else", http({ folders: ["/x"] }), /^capabilities\[0\].folders: belongs to files/],
  [
    "a relative folder",
    { ...STORAGE, category: "source", capabilities: [{ name: "files", folders: ["x"] }] },
    /folders\[0\]: expected an absolute path/,
  ],
  ["an address", http({ hosts: ["https://a.example/"] }), /^capabilities\[0\].hosts\[0\]: expected a host/],
  ["every host", http({ hosts: ["*"] }), /^capabilities\[0\].hosts\[0\]: expected a host/],
  ["a user in a host", http({ hosts: ["a@b"] }), /^capabilities\[0\].hosts\[0\]: expected a host/],
  ["no host", http({ hosts: [] }), /^capabilities\[0\].hosts: expected at least 1 items, found 0$/],
  ["a method", http({ methods: ["get"] }), /^capabilities\[0\].methods\[0\]: expected "GET", .*did you mean GET\?$/],
  ["a codec without format", REST, /^format_id: is missing, and the category compression needs it$/],
  [
    "a store with a format",
    { ...STORAGE, format_id: "x-1", reads_formats: ["y-1"] },
    /^format_id: has no meaning for the category storage$/,
    /^reads_formats: has no/,
  ],
  [
    "a cipher without its lengths",
    { ...CODEC, category: "encryption" },
    /^nonce_bytes: is missing/,
    /^overhead_bytes: is missing/,
  ],
  ["a codec with a nonce", { ...CODEC, nonce_bytes: 12 }, /^nonce_bytes: has no meaning/],
  [
    "a fraction",
    { ...CODEC, limits: { memory_pages: 1.5 } },
    /^limits.memory_pages: expected a whole number, found 1.5$/,
  ],
  ["too little", { ...CODEC, limits: { call_ms: 0 } }, /^limits.call_ms: expected at least 1, found 0$/],
  [
    "too much",
    { ...CODEC, limits: { memory_pages: 65537 } },
    /^limits.memory_pages: expected at most 65536, found 65537$/,
  ],
  [
    "a configuration that is a list",
    { ...CODEC, config_schema: { type: "array" } },
    /^config_schema.type: expected "object", found "array"$/,
  ],
  [
    "an expression in a configuration",
    config({ a: { type: "string", pattern: "(a+)+$" } }),
    /^config_schema.properties.a.pattern: unknown key$/,
  ],
  [
    "a wrong default",
    config({ a: { type: "integer", maximum: 3, default: 4 } }),
    /^config_schema.properties.a.default: expected at most 3, found 4$/,
  ],
  [
    "bounds in the wrong order",
    config({ a: { type: "integer", minimum: 3, maximum: 2 } }),
    /^config_schema.properties.a.minimum: 3 is above maximum, 2$/,
  ],
  [
    "a required key that is none",
    config({}, { required: ["b"] }),
    /^config_schema.required: "b" is none of the properties$/,
  ],
];

function faults(act: () => unknown): string[] {
  let lines: string[] = [];
  throws(act, (error) => {
    ok(error instanceof ManifestFault, String(error));
    lines = error.faults.map(({ path, message }) => path === "" ? message : `${path}: ${message}`);
    return true;
  });
  return lines;
}

Deno.test("readManifest() names the key of everything that is wrong", async (t) => {
  for (const [name, manifest, ...messages] of WRONG) {
    await t.step(name, () => {
      const lines = faults(() => read(manifest));
      for (const message of messages) ok(lines.some((line) => message.test(line)), `${message}: ${lines.join(" | ")}`);
      if (messages.length === 1) equal(lines.length, 1, lines.join(" | "));
    });
  }
});

Deno.test("decodeManifest() holds against what is made to end the program", async (t) => {
  const cases: [string, string, RegExp][] = [
    [
      "deep lists",
      `{"config_schema":${"[".repeat(30_000)}${"]".repeat(30_000)}}`,
      /expected at most 16 levels, found more/,
    ],
    [
      "a schema inside of itself",
      `{"config_schema":${'{"items":'.repeat(5000)}{}${"}".repeat(5000)}}`,
      /expected at most 16 levels/,
    ],
    ["many keys", `{${Array.from({ length: 4000 }, (_, at) => `"k${at}":1`).join()}}`, /unknown key/],
    ["a key that is a prototype", '{"__proto__":{"manifest":1}}', /__proto__: unknown key/],
    ["what is not UTF-8", "\ud800", /is missing|expected JSON in UTF-8/],
  ];
  for (const [name, text, message] of cases) {
    await t.step(name, () => match(faults(() => decodeManifest(utf8(text))).join("\n"), message));
  }
});

Deno.test("readManifestYaml() names the line of a fault", async (t) => {
  const cases: [name: string, text: string, message: RegExp][] = [
    ["a wrong value", "manifest: 1\nplugin_id: Lz4\n", /^line 2: plugin_id: expected an id/],
    [
      "inside of a list",
      "capabilities:\n  - name: log\n  - name: lag\n",
      /^line 3: capabilities\[1\].name: expected "log"/,
    ],
    ["an unknown key", "manifest: 1\nsky: blue\n", /^line 2: sky: unknown key/],
    ["a version that YAML takes for a number", "version: 1.4\n", /^line 1: version: expected a version .*, found 1.4/],
    ["broken YAML", "a: [1\nb: 2\n", /^line \d: not YAML: /],
    ["a key twice", "a: 1\na: 2\n", /^line 2: not YAML: /],
    ["two documents", "a: 1\n---\nb: 1\n", /not YAML/],
    [
      "a bomb",
      `a: &a [x, x]\n${
        "bcdefghij".split("").map((key, at) => `${key}: &${key} [*${"abcdefghi"[at]}, *${"abcdefghi"[at]}]`).join("\n")
      }`,
      /expected YAML, found/,
    ],
    ["deep", "[".repeat(20_000), /not YAML|expected YAML/],
    ["an own tag", "a: !!js/function x\n", /not YAML/],
    ["too long", `# ${"x".repeat(70_000)}`, /expected at most 65536 bytes/],
  ];
  for (const [name, text, message] of cases) {
    await t.step(name, () => {
      const lines = faults(() => {
        const { value, located } = readManifestYaml(utf8(text));
        try {
          read(value);
        } catch (error) {
          throw located(error as ManifestFault);
        }
      });
      ok(lines.some((line) => message.test(line)), lines.join("\n"));
    });
  }
});

Deno.test("the manifest that docs/plugins.md shows is right", () => {
  const page = Deno.readTextFileSync(new URL("../../docs/plugins.md", import.meta.url));
  const [, shown] = /```yaml\n(manifest: 1\n[^]*?)```/.exec(page)!;
  const { pluginId, capabilities } = readManifest(readManifestYaml(utf8(shown)).value, "0.1.0");
  equal(pluginId, "storage_dav");
  deepEqual(capabilities[0].methods, ["GET", "PUT"]);
});
