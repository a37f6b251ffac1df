import { deepStrictEqual as deepEqual, match, rejects, strictEqual as equal } from "node:assert/strict";
import { type Bytes, concat } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { PluginAnswer, PluginCall } from "./broker.ts";
import { PluginFailure } from "./plugin_failure.ts";
import { streamAnswer, type ToyStream } from "./toy_source_fixture.ts";
import { listStreams, type OfferedStream, readStream, type SourceCall } from "./wasm_source.ts";

const PLUGIN = { pluginId: "source_toy", version: "1.0.0", sha256: "0".repeat(64) };

/** Answers as a plugin would, without one. */
function calling(answer: (call: PluginCall) => { result?: unknown; output?: Bytes }): SourceCall {
  return async (call, use) => {
    const { result, output = new Uint8Array(0) } = await Promise.resolve(answer(call));
    const text = typeof result === "string" || result === undefined ? result : JSON.stringify(result);
    const whole: PluginAnswer = { output, result: text, memoryBytes: 0, log: [], metrics: [] };
    return use(whole, PLUGIN);
  };
}

function toy(streams: ReadonlyMap<string, ToyStream>): SourceCall {
  return calling(({ operation, parameters }) =>
    streamAnswer(streams, { operation: operation!, header: JSON.parse(JSON.stringify(parameters)) })
  );
}

function pattern(length: number): Bytes {
  return Uint8Array.from({ length }, (_, i) => i * 7 + (i >> 8));
}

const NAMED: OfferedStream = { name: "a", sizeBytes: undefined, modifiedNs: undefined, version: undefined };

async function all(stream: OfferedStream, call: SourceCall): Promise<Bytes> {
  return concat(await Array.fromAsync(readStream(stream, call)));
}

Deno.test("a list comes page by page, with all that is said of a stream", async () => {
  const listed = { modified_ns: "-5", version: "v1" };
  const many = new Map<string, ToyStream>([["a b", { data: pattern(3), listed }]]);
  for (let i = 0; i < 2500; i++) many.set(`stream ${i}`, { data: pattern(i % 5), listed: { length: undefined } });
  const streams = await listStreams(toy(many));
  equal(streams.length, 2501);
  deepEqual(streams[0], { name: "a b", sizeBytes: 3, modifiedNs: "-5", version: "v1" });
  deepEqual(streams[2500], { ...NAMED, name: "stream 2499" });
  deepEqual(await listStreams(toy(new Map())), []);
});

Deno.test("a list that cannot be meant is refused, whatever is wrong with it", async (t) => {
  const one = (entry: unknown) => ({ entries: [entry] });
  let pages = 0;
  const cases: [name: string, result: () => unknown, why: RegExp][] = [
    ["no result", () => undefined, /its result is no JSON object/],
    ["no JSON", () => "streams", /its result is no JSON object/],
    ["no entries", () => ({}), /it has no entries/],
    ["an entry that is none", () => one("a"), /an entry is no object/],
    ["no name", () => one({}), /nothing is no name of a stream: it is no text/],
    ["an empty name", () => one({ name: "" }), /it is empty/],
    ["the folder above", () => one({ name: ".." }), /".." is no name of a stream: it leads elsewhere/],
    ["a path", () => one({ name: "../../etc/passwd" }), /it has a \/ in it/],
    ["an absolute path", () => one({ name: "/etc/passwd" }), /it has a \/ in it/],
    ["a NUL", () => one({ name: "a\0b" }), /it has a NUL in it/],
    ["half a character", () => '{"entries":[{"name":"\\ud800"}]}', /it is no UTF-8/],
    ["bytes in disguise", () => '{"entries":[{"name":"\\udc80"}]}', /it is no UTF-8/],
    ["a long name", () => one({ name: "ä".repeat(128) }), /it has 256 bytes, at most 255/],
    ["the same twice", () => ({ entries: [{ name: "a" }, { name: "a" }] }), /a is there twice/],
    ["a negative length", () => one({ name: "a", length: -1 }), /the length of a is no number of bytes/],
    ["a length with a fraction", () => one({ name: "a", length: 0.5 }), /the length of a/],
    ["a length beyond what a file can have", () => one({ name: "a", length: 1e300 }), /the length of a/],
    ["a time that is none", () => one({ name: "a", modified_ns: 5 }), /modified_ns of a/],
    ["a time beyond all times", () => one({ name: "a", modified_ns: "9".repeat(19) }), /modified_ns of a/],
    ["a version that is none", () => one({ name: "a", version: "" }), /the version of a/],
    ["a long version", () => one({ name: "a", version: "v".repeat(5000) }), /the version of a/],
    ["a cursor that is none", () => ({ entries: [{ name: "a" }], cursor: 1 }), /its cursor is no text/],
    ["an empty page in the middle", () => ({ entries: [], cursor: "a" }), /a page is empty, and not the last/],
    ["a circle", () => ({ entries: [{ name: "a" }], cursor: "a" }), /a is there twice/],
    ["no end", () => {
      const entries = Array.from({ length: 5000 }, (_, i) => ({ name: `${pages}-${i}` }));
      return { entries, cursor: String(pages++) };
    }, new RegExp(`it has more than ${LIMITS.pluginStreamsMax} streams`)],
  ];
  for (const [name, result, why] of cases) {
    await t.step(name, async () => {
      await rejects(listStreams(calling(() => ({ result: result() }))), (error) => {
        match((error as Error).message, why);
        return error instanceof PluginFailure && error.failure === "abi" && error.isHostFault;
      });
    });
  }
});

Deno.test("a stream comes as it is, whatever its length", async (t) => {
  const part = LIMITS.pluginReadBytes;
  for (const length of [0, 1, part - 1, part, part + 1, 3 * part]) {
    const data = pattern(length);
    for (const sizeBytes of [undefined, length]) {
      await t.step(`${length} bytes, ${sizeBytes === undefined ? "not " : ""}known before`, async () => {
        deepEqual(await all({ ...NAMED, sizeBytes }, toy(new Map([["a", { data }]]))), data);
      });
    }
  }
});

Deno.test("a stream goes on where its cursor says, however short its parts are", async () => {
  const data = pattern(1000), asked: unknown[] = [];
  const call = calling(({ parameters }) => {
    const { offset, cursor, version } = parameters as { offset: number; cursor?: string; version?: string };
    asked.push([offset, cursor, version]);
    const end = Math.min(offset + 300, 1000);
    return { output: data.slice(offset, end), result: end === 1000 ? {} : { cursor: `page ${end}` } };
  });
  deepEqual(await all({ ...NAMED, version: "7" }, call), data);
  deepEqual(asked, [
    [0, undefined, "7"],
    [300, "page 300", "7"],
    [600, "page 600", "7"],
    [900, "page 900", "7"],
  ]);
});

Deno.test("a stream that is other than listed, or has no end, fails", async (t) => {
  const data = pattern(5000), whole = toy(new Map([["a", { data }]]));
  const endless = calling(() => ({ output: new Uint8Array(LIMITS.pluginReadBytes) }));
  const cases: [name: string, sizeBytes: number | undefined, call: SourceCall, kind: string, why: RegExp][] = [
    ["shorter", 5001, whole, "source_changed", /stream a: it ended after 5000 bytes, listed with 5001/],
    ["longer", 4999, whole, "source_changed", /it goes on after 4999 bytes, listed with 4999/],
    ["endless", 3 * LIMITS.pluginReadBytes, endless, "source_changed", /it goes on after 3145728 bytes/],
    ["a promise without a byte", undefined, calling(() => ({ result: { cursor: "x" } })), "plugin_failed", /no byte/],
    ["no JSON", undefined, calling(() => ({ result: "[]" })), "plugin_failed", /no JSON object/],
    ["a cursor that is none", undefined, calling(() => ({ result: { cursor: {} } })), "plugin_failed", /no text/],
  ];
  for (const [name, sizeBytes, call, kind, why] of cases) {
    await t.step(name, async () => {
      await rejects(all({ ...NAMED, sizeBytes }, call), (error) => {
        match((error as Error).message, why);
        return error instanceof AxiomError && error.kind === kind && !error.retriable;
      });
    });
  }
});
