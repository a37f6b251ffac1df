import { deepStrictEqual as deepEqual, rejects, strictEqual as equal, throws } from "node:assert/strict";
import { utf8 } from "../base/bytes.ts";
import { systemClock } from "../base/clock.ts";
import type { ErrorKind } from "../base/errors.ts";
import { failed } from "../../tests/fixtures/tampering.ts";
import { admit } from "./admission.ts";
import { openPlugin } from "./open_plugin.ts";
import { manifestSection } from "./plugin_fixture.ts";
import { levelsOf, wasmCodec } from "./wasm_codec.ts";
import { LOOP_FOR_EVER, op, pluginModule, type PluginParts, TAGGED, WRITE } from "./wasm_fixture.ts";

async function withCodec(
  parts: PluginParts,
  use: (codec: ReturnType<typeof wasmCodec>) => Promise<void>,
  callMs = 60_000,
): Promise<void> {
  const admitted = admit(pluginModule({ ...parts, sections: [manifestSection()] }));
  const pool = openPlugin(admitted, {
    granted: [],
    configuration: {},
    instancesMax: 1,
    clock: systemClock,
    callMs,
  });
  try {
    await use(wasmCodec(pool, admitted.manifest));
  } finally {
    await pool.close();
  }
}

Deno.test("a plugin is a codec", async () => {
  await withCodec({ execute: TAGGED }, async (codec) => {
    const { pluginId, version, formatId, decoder, levels } = codec;
    deepEqual({ pluginId, version, formatId, levels }, {
      pluginId: "compression_test",
      version: "1.2.3",
      formatId: "test-1",
      levels: { minimum: 1, maximum: 3, default: 2 },
    });
    equal(/^[0-9a-f]{64}$/.test(decoder), true);
    for (const length of [0, 1, 100_000]) {
      const plain = new Uint8Array(length).fill(7);
      const stored = await codec.encode(plain, 2);
      equal(stored.length, length + 1);
      deepEqual(await codec.decode(stored, length), plain);
    }
    await rejects(async () => await codec.encode(utf8("a"), 4), RangeError);
  });
});

Deno.test("what a plugin cannot decode is damaged, and what it fails at is not", async (t) => {
  const cases: { name: string; parts: PluginParts; kind: ErrorKind; text: RegExp; callMs?: number }[] = [
    {
      name: "corrupt data",
      parts: { execute: TAGGED },
      kind: "data_damaged",
      text: /compression_test 1\.2\.3 .*corrupt/,
    },
    { name: "nothing written", parts: {}, kind: "data_damaged", text: /holds 0 bytes instead of 3/ },
    {
      name: "too much written",
      parts: { execute: [op.const(0), op.const(4), WRITE] },
      kind: "data_damaged",
      text: /more than 3 bytes/,
    },
    { name: "a trap", parts: { execute: [op.unreachable] }, kind: "plugin_failed", text: /trap/ },
    { name: "no memory", parts: { execute: [op.const(8)] }, kind: "plugin_failed", text: /quota/ },
    {
      name: "an endless loop",
      parts: { execute: LOOP_FOR_EVER },
      kind: "plugin_failed",
      text: /deadline/,
      callMs: 100,
    },
  ];
  for (const { name, parts, kind: wanted, text, callMs } of cases) {
    await t.step(
      name,
      () =>
        withCodec(
          parts,
          (codec) => rejects(async () => await codec.decode(utf8("?abc"), 3), failed(wanted, text, /^/)),
          callMs,
        ),
    );
  }
});

Deno.test("a codec's levels are those of its configuration", () => {
  const of = (level: unknown) =>
    levelsOf({ pluginId: "compression_test", configSchema: { type: "object", properties: { level } } as never });
  deepEqual(of(undefined), { minimum: 0, maximum: 0, default: 0 });
  deepEqual(of({ minimum: 1, maximum: 12 }), { minimum: 1, maximum: 12, default: 1 });
  deepEqual(of({ minimum: 1, maximum: 12, default: 6 }), { minimum: 1, maximum: 12, default: 6 });
  throws(() => of({ minimum: 5, maximum: 1 }), failed("plugin_refused", /5 to 1/, /^/));
});
