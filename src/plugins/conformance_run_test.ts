import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { type Bytes, utf8 } from "../base/bytes.ts";
import { systemClock } from "../base/clock.ts";
import { admit } from "./admission.ts";
import { type ConformanceFinding, testPlugin } from "./conformance.ts";
import { LATER } from "./conformance_contexts.ts";
import { answering, posting, stockProcessing, toyProcessing } from "./toy_processing_fixture.ts";
import { FAIL, LOOP_FOR_EVER, op, type PluginParts } from "./wasm_fixture.ts";

const URL = "http://127.0.0.1:9/";
const POSTS = {
  plugin_id: "notification_toy",
  category: "notification",
  capabilities: [{ name: "net.http", methods: ["POST"], reason: "a test" }],
};

function findingsOf(
  parts: PluginParts,
  manifest: Record<string, unknown> = {},
  only?: string[],
): Promise<ConformanceFinding[]> {
  return testPlugin(admit(toyProcessing(parts, manifest)), { clock: systemClock, only });
}

const KEEPS: { name: string; parts: PluginParts; manifest?: Record<string, unknown>; says: Record<string, RegExp> }[] =
  [
    {
      name: "a processing plugin",
      parts: answering('{"status":"SUCCESS","metrics":{"files":2},"artifacts":["/srv/a"]}'),
      says: {
        "answers a warning": /^SUCCESS, files 2, \/srv\/a$/,
        "says the same in a fresh instance": /the same answers/,
        "lets go where nobody waits": /waits for nobody/,
      },
    },
    {
      name: "a notification",
      parts: posting(URL),
      manifest: POSTS,
      says: {
        "says where nobody was told": /it fails where the server does/,
        "lets go where nobody waits": /the call ended after/,
      },
    },
  ];

for (const { name, parts, manifest, says } of KEEPS) {
  Deno.test(`${name} that keeps the rules passes`, async () => {
    const findings = await findingsOf(parts, manifest);
    deepEqual(findings.filter(({ state }) => state !== "ok"), []);
    for (const [check, text] of Object.entries(says)) {
      match(findings.find((each) => each.name === check)!.message, text);
    }
  });
}

Deno.test("a stock module is tried where it can be called", async () => {
  const tried = (module: Bytes) => testPlugin(admit(module), { clock: systemClock });
  const findings = await tried(stockProcessing('{"status":"SUCCESS","metrics":{"stock":1}}'));
  deepEqual(findings.filter(({ state }) => state !== "ok"), []);
  match(findings.find(({ name }) => name === "answers a success")!.message, /SUCCESS, stock 1/);
  const others = await tried(stockProcessing("SUCCESS", "count"));
  deepEqual(others.filter(({ state }) => state === "failed"), []);
  match(others.find(({ name }) => name === "answers a success")!.message, /it has no export execute/);
});

const SUCCESS = '{"status":"SUCCESS"}';
const COUNTED = '{"status":"SUCCESS","metrics":{"n":0}}';
const headerLength = [op.const(65536), op.const(0), op.call(5)];

const BROKEN: { name: string; parts: PluginParts; manifest?: Record<string, unknown>; fails: string; why: RegExp }[] = [
  { name: "says nothing", parts: {}, fails: "answers a success", why: /abi: its result is no JSON object/ },
  { name: "gives no JSON", parts: answering("SUCCESS"), fails: "answers a success", why: /no JSON object/ },
  {
    name: "says that it failed by its status",
    parts: answering('{"status":"FAILURE"}'),
    fails: "answers a success",
    why: /its status is "FAILURE", where/,
  },
  {
    name: "adds what means nothing",
    parts: answering('{"status":"SUCCESS","note":1}'),
    fails: "answers a success",
    why: /its result has "note"/,
  },
  {
    name: "measures words",
    parts: answering('{"status":"SUCCESS","metrics":{"a":"b"}}'),
    fails: "answers a success",
    why: /its metric "a" is "b"/,
  },
  {
    name: "names a metric oddly",
    parts: answering('{"status":"SUCCESS","metrics":{"A b":1}}'),
    fails: "answers a success",
    why: /its metric "A b" is 1/,
  },
  {
    name: "has metrics without end",
    parts: answering(`{"status":"SUCCESS","metrics":{${Array.from({ length: 101 }, (_, i) => `"m${i}":1`)}}}`),
    fails: "answers a success",
    why: /101 metrics, more than 100/,
  },
  {
    name: "has artifacts without end",
    parts: answering(`{"status":"SUCCESS","artifacts":[${Array.from({ length: 101 }, () => '"a"')}]}`),
    fails: "answers a success",
    why: /101 artifacts, more than 100/,
  },
  {
    name: "has an artifact that is no text",
    parts: answering('{"status":"SUCCESS","artifacts":[{}]}'),
    fails: "answers a success",
    why: /\{\} is among its artifacts/,
  },
  {
    name: "has artifacts that are no list",
    parts: answering('{"status":"SUCCESS","artifacts":"a"}'),
    fails: "answers a success",
    why: /its artifacts are no list/,
  },
  {
    name: "fails for no reason",
    parts: answering(SUCCESS, [op.const(9), op.const(0), op.const(0), FAIL, op.drop]),
    fails: "answers a success",
    why: /Cannot run processing_toy .*permanent/,
  },
  {
    name: "knows only what there is today",
    parts: answering(SUCCESS, [
      ...[...headerLength, op.const(utf8(JSON.stringify(LATER)).length), op.i32_eq],
      ...[op.if, op.const(1), op.return, op.end],
    ]),
    fails: "passes over what it does not know",
    why: /invalid_input/,
  },
  {
    name: "traps where a context makes no sense",
    parts: answering(SUCCESS, [...headerLength, op.const(200), op.i32_lt_u, op.if, op.unreachable, op.end]),
    fails: "lives on after nothing",
    why: /trap: unreachable/,
  },
  {
    name: "has no room for the longest context",
    parts: answering(SUCCESS, [
      ...headerLength,
      op.const(60_000),
      op.i32_lt_u,
      op.i32_eqz,
      op.if,
      op.unreachable,
      op.end,
    ]),
    fails: "takes the longest context",
    why: /trap/,
  },
  {
    name: "counts its calls",
    parts: answering(COUNTED, [
      ...[op.global_get(0), op.const(1), op.i32_add, op.global_set(0), op.const(COUNTED.indexOf("0"))],
      ...[op.const(0x30), op.global_get(0), op.i32_add, op.i32_store8],
    ]),
    fails: "says the same in a fresh instance",
    why: /it answers SUCCESS, n 1, but after other calls SUCCESS, n 6/,
  },
  {
    name: "takes more memory with each call",
    parts: answering(SUCCESS, [op.const(1), op.memory_grow, op.drop]),
    manifest: { limits: { memory_pages: 1000 } },
    fails: "takes no more memory from call to call",
    why: /after 20 calls and .* after more/,
  },
  {
    name: "tells nobody and says that it did",
    parts: posting(URL, SUCCESS, false),
    manifest: POSTS,
    fails: "says where nobody was told",
    why: /it says SUCCESS of a success that it told a server, and the server answered 503/,
  },
  {
    name: "does not end",
    parts: answering(SUCCESS, LOOP_FOR_EVER.slice(0, -1)),
    manifest: { limits: { call_ms: 300 } },
    fails: "answers a success",
    why: /deadline: it did not answer within 300 ms/,
  },
];

for (const { name, parts, manifest, fails, why } of BROKEN) {
  const { category = "processing" } = manifest ?? {};
  Deno.test(`a plugin for ${category} that ${name} fails`, async () => {
    const findings = await findingsOf(parts, manifest, [fails]);
    const found = findings.find((each) => each.name === fails);
    equal(found?.state, "failed", JSON.stringify(findings, undefined, 1));
    match(found!.message, why);
  });
}
