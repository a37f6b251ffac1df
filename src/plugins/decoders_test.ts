import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import { utf8 } from "../base/bytes.ts";
import { systemClock } from "../base/clock.ts";
import { AxiomError } from "../base/errors.ts";
import { ignoreEvents } from "../base/events.ts";
import type { DictionaryEntry } from "../model/pack_table.ts";
import { builtInStages } from "../stages/registry.ts";
import { Decoders, type DecoderSettings } from "./decoders.ts";
import { manifestSection } from "./plugin_fixture.ts";
import { sha256Of } from "./plugin_folder.ts";
import { PluginRegistry } from "./plugin_registry.ts";
import { PluginStages } from "./plugin_stages.ts";
import { LOOP_FOR_EVER, op, pluginModule, type PluginParts, TAGGED } from "./wasm_fixture.ts";

const ID = "compression_test";

function moduleOf(parts: PluginParts = { execute: TAGGED }, manifest: Record<string, unknown> = {}) {
  return pluginModule({ ...parts, sections: [manifestSection(manifest)] });
}

function entryOf(bytes: Uint8Array, more: Partial<DictionaryEntry> = {}): DictionaryEntry {
  return { role: "codec", pluginId: ID, version: "1.2.3", formatId: "test-1", decoder: sha256Of(bytes), ...more };
}

async function withDecoders(
  settings: Partial<DecoderSettings>,
  use: (decoders: Decoders, stages: PluginStages) => Promise<void>,
): Promise<void> {
  const registry = new PluginRegistry({ clock: systemClock }), stages = new PluginStages(registry, builtInStages());
  const decoders = new Decoders({ registry, stages }, {
    trust: { policy: "warn", trustedKeys: [], revoked: [] },
    trusted: [],
    options: [],
    clock: systemClock,
    instancesMax: 1,
    onEvent: ignoreEvents,
    onNotes: undefined,
    ...settings,
  });
  try {
    await use(decoders, stages);
  } finally {
    await stages.close();
    await registry.close();
  }
}

const kind = (wanted: string, text: RegExp) => (error: unknown) => {
  equal(error instanceof AxiomError && error.kind, wanted, String(error));
  equal(text.test((error as AxiomError).message), true, (error as AxiomError).message);
  return true;
};

Deno.test("a stored decoder runs only if somebody trusts it", async (t) => {
  const module = moduleOf(), sha256 = sha256Of(module);
  const cases: { name: string; settings: Partial<DecoderSettings>; refusal?: RegExp }[] = [
    { name: "nobody does", settings: {}, refusal: /compression_test 1\.2\.3 \(sha256 .*is not trusted/ },
    { name: "by hash", settings: { trusted: [sha256] } },
    { name: "by id", settings: { trusted: [ID] } },
    { name: "by a person", settings: { ask: () => true } },
    { name: "not by a person", settings: { ask: () => false }, refusal: /is not trusted/ },
    { name: "another one", settings: { trusted: ["0".repeat(64)] }, refusal: /is not trusted/ },
    {
      name: "signatures are of no interest to this machine",
      settings: { trust: { policy: "off", trustedKeys: [], revoked: [] } },
      refusal: /is not trusted/,
    },
    {
      name: "revoked",
      settings: { trusted: [sha256], trust: { policy: "off", trustedKeys: [], revoked: [sha256] } },
      refusal: /its hash was revoked/,
    },
  ];
  for (const { name, settings, refusal } of cases) {
    for (const signature of [undefined, "", "no signature"]) {
      await t.step(
        `${name}, signature ${JSON.stringify(signature)}`,
        () =>
          withDecoders(settings, async (decoders, { stages }) => {
            const provided = decoders.provide(entryOf(module), () => Promise.resolve({ bytes: module, signature }));
            if (refusal !== undefined) {
              await rejects(provided, kind("plugin_refused", refusal));
              return equal(stages.codecs.reads("test-1"), false);
            }
            await provided;
            const encoded = utf8("Aabc"); // its tag, then the bytes
            deepEqual(await stages.codecForFormat("test-1").decode(encoded, 3), utf8("abc"));
            equal(stages.codecs.has(ID), false, "it writes nothing");
          }),
      );
    }
  }
});

Deno.test("a person is asked once, and the module is loaded once", () => {
  const module = moduleOf();
  let asked = 0, loaded = 0;
  const ask = () => ++asked > 1;
  return withDecoders({ ask }, async (decoders) => {
    const load = () => Promise.resolve((loaded++, { bytes: module, signature: undefined }));
    for (let i = 0; i < 3; i++) {
      await rejects(decoders.provide(entryOf(module), load), kind("plugin_refused", /not trusted/));
    }
    deepEqual([asked, loaded], [1, 1]);
  });
});

Deno.test("a stored decoder that is missing, or is not what its table says, never runs", async (t) => {
  const module = moduleOf();
  const cases: [name: string, entry: DictionaryEntry, bytes: Uint8Array | undefined, wanted: string, text: RegExp][] = [
    ["missing", entryOf(module), undefined, "plugin_missing", /compression_test 1\.2\.3 .*nor in the repository/],
    ["another format", entryOf(module, { formatId: "test-9" }), module, "plugin_refused", /does not read this format/],
    ["another role", entryOf(module, { role: "cipher" }), module, "plugin_refused", /category compression/],
    ["no module", entryOf(utf8("none")), utf8("none"), "plugin_refused", /Cannot use/],
  ];
  for (const [name, entry, bytes, wanted, text] of cases) {
    await t.step(name, () =>
      withDecoders({ trusted: [ID] }, async (decoders, { stages }) => {
        const file = bytes && { bytes: bytes as Uint8Array<ArrayBuffer>, signature: undefined };
        await rejects(decoders.provide(entry, () => Promise.resolve(file)), kind(wanted, text));
        equal(stages.codecs.reads(entry.formatId), false);
      }));
  }
});

Deno.test("a stored decoder that misbehaves fails as an installed one does", async (t) => {
  const limits = { limits: { memory_pages: 16, call_ms: 300 } };
  const cases: [name: string, parts: PluginParts, wanted: string, text: RegExp][] = [
    ["traps", { execute: [op.unreachable] }, "plugin_failed", /trap/],
    ["loops", { execute: LOOP_FOR_EVER }, "plugin_failed", /deadline/],
    ["loops while it is loaded", { initialize: LOOP_FOR_EVER, execute: TAGGED }, "plugin_failed", /deadline/],
    ["writes nothing", { execute: [op.const(0)] }, "data_damaged", /0 bytes instead of 3/],
  ];
  for (const [name, parts, wanted, text] of cases) {
    await t.step(name, () =>
      withDecoders({ trusted: [ID] }, async (decoders, { stages }) => {
        const module = moduleOf(parts, limits);
        await decoders.provide(entryOf(module), () => Promise.resolve({ bytes: module, signature: undefined }));
        await rejects(async () => await stages.codecForFormat("test-1").decode(utf8("Aabc"), 3), kind(wanted, text));
      }));
  }
});
