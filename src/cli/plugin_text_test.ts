import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { admit } from "../plugins/admission.ts";
import { build, MANIFEST } from "../plugins/admission_fixture.ts";
import { type PluginFacts, pluginFactsJson, pluginFactsText } from "./plugin_text.ts";

const { format_id: _, ...REST } = MANIFEST;

function facts(manifest: unknown, more: Partial<PluginFacts> = {}): PluginFacts {
  const data = build({}, manifest);
  return { admitted: admit(data), bytes: data.length, signer: undefined, ...more };
}

Deno.test("what a plugin is and asks for is told in plain words", async (t) => {
  const store = {
    ...REST,
    plugin_id: "storage_x",
    category: "storage",
    capabilities: [
      { name: "net.http", hosts: ["s3.example"], methods: ["PUT"], reason: "holds your data" },
      { name: "kv" },
      { name: "log" },
    ],
  };
  const described = {
    ...MANIFEST,
    reads_formats: ["copy-0"],
    dependencies: ["hash_abc", { plugin_id: "hash_xxh", version: "^2.1", optional: true }],
    config_schema: {
      type: "object",
      required: ["mode"],
      properties: {
        level: { type: "integer", minimum: 1, maximum: 12, default: 3, description: "How hard" },
        mode: { enum: ["a", 2] },
        "odd\u202ekey": { type: "string" },
      },
    },
  };
  const held = facts(store);
  const plugin = { pluginId: "storage_x", version: "1.2.3", sha256: "", key: null, grants: [{ name: "kv" as const }] };
  const cases: [name: string, facts: PluginFacts, ...lines: RegExp[]][] = [
    [
      "a codec",
      facts(MANIFEST),
      /^compression_copy 1.2.3: Copies$/m,
      /Category {3}compression; writes copy-1$/m,
      /^It asks for nothing: it answers calls$/m,
    ],
    [
      "its signature",
      facts(MANIFEST, { doubt: "it is not signed" }),
      /Signature {2}none that is trusted: it is not signed$/m,
    ],
    [
      "all of a manifest",
      facts(described),
      /writes copy-1, also reads copy-0$/m,
      /Needs {6}hash_abc \*\n {13}hash_xxh \^2.1 \(can do without\)$/m,
    ],
    [
      "options",
      facts(described),
      /level: integer 1…12, default 3, How hard$/m,
      /mode: "a" or 2, required$/m,
      /odd\\u202ekey: string$/m,
    ],
    [
      "a store",
      held,
      /and may write lines to the log. Beyond that it asks to\n {2}- send requests over the network to s3.example, with PUT \(net.http\): "holds your data"\n {2}- keep/,
    ],
    [
      "one that waits",
      {
        ...held,
        standing: {
          plugin,
          admitted: held.admitted,
          state: "held",
          missing: [store.capabilities[0] as { name: "net.http" }],
        },
      },
      /State {6}waits for a grant$/m,
      /It was granted to\n {2}- keep up to 1 MiB/,
      /It waits for\n {2}- send requests/,
    ],
  ];
  for (const [name, shown, ...lines] of cases) {
    await t.step(name, () => {
      const text = pluginFactsText(shown);
      for (const line of lines) match(text, line);
      ok(!/\s$/m.test(text.replace(/\n\n/g, "\n")), "no line ends in a space");
    });
  }
});

Deno.test("programs get the same, with null for what there is none of", () => {
  const told = pluginFactsJson(facts(MANIFEST)) as Record<string, unknown>;
  equal(told.plugin_id, "compression_copy");
  deepEqual(told.limits, { memory_pages: 256, call_ms: 10_000 });
  for (const key of ["key_id", "doubt", "state", "grants", "missing", "nonce_bytes"]) equal(told[key], null, key);
});
