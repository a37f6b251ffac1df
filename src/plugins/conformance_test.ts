import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { utf8 } from "../base/bytes.ts";
import { systemClock } from "../base/clock.ts";
import { CALL_MODULE } from "./abi.ts";
import { admit } from "./admission.ts";
import { type ConformanceFinding, testPlugin } from "./conformance.ts";
import { CIPHER, manifestSection } from "./plugin_fixture.ts";
import { toyCipher } from "./toy_cipher_fixture.ts";
import {
  ADDED,
  COPY,
  EAT_MEMORY,
  I32,
  LOOP_FOR_EVER,
  OP,
  op,
  pluginModule,
  type PluginParts,
  READ,
  TAGGED,
  WRITE,
} from "./wasm_fixture.ts";

function findingsOf(
  parts: PluginParts,
  manifest: Record<string, unknown> = {},
  only?: string[],
): Promise<ConformanceFinding[]> {
  const plugin = admit(pluginModule({ ...parts, sections: [manifestSection(manifest)] }));
  return testPlugin(plugin, { clock: systemClock, only });
}

Deno.test("a plugin that keeps the rules passes", async () => {
  const findings = await findingsOf({ execute: TAGGED });
  deepEqual(findings.filter(({ state }) => state !== "ok"), []);
  deepEqual([...new Set(findings.map(({ group }) => group))], [
    "admission",
    "lifecycle",
    "properties",
    "speed",
    "abuse",
    "swap",
  ]);
});

const isDecode = [...[op.call(2)], op.const(2), op.i32_eq];
const firstByteTo0 = [op.const(0), op.const(1), READ];
const tag = [op.const(0), op.const(1), WRITE, op.drop];

const BROKEN: {
  name: string;
  parts: PluginParts;
  manifest?: Record<string, unknown>;
  fails: string;
  why: RegExp;
}[] = [
  { name: "does not come up", parts: { initialize: [op.const(9)] }, fails: "comes up", why: /initialize.*permanent/ },
  { name: "is not valid by its own account", parts: { validate: [op.const(1)] }, fails: "comes up", why: /validate/ },
  {
    name: "traps at its end",
    parts: { teardown: [op.unreachable] },
    fails: "ends, and comes up again",
    why: /teardown.*trap/,
  },
  {
    name: "blames itself for an operation that it does not know",
    parts: { execute: [op.const(11)] },
    fails: "lives on after an operation that it does not know",
    why: /internal instead of unsupported/,
  },
  { name: "traps", parts: { execute: [op.unreachable] }, fails: "brings back 1 byte", why: /trap: unreachable/ },
  {
    name: "loops for ever",
    parts: { execute: LOOP_FOR_EVER },
    manifest: { limits: { call_ms: 1000 } },
    fails: "lives on after an operation that it does not know",
    why: /deadline: it did not answer within 1000 ms/,
  },
  { name: "eats its memory", parts: { execute: EAT_MEMORY }, fails: "brings back 1 byte", why: /memory: it took all/ },
  { name: "writes nothing", parts: {}, fails: "brings back 1 byte", why: /holds 0 bytes instead of 1/ },
  {
    name: "writes without end",
    parts: { execute: [op.loop, op.const(0), op.const(65536), WRITE, op.drop, op.br(0), op.end, op.const(0)] },
    fails: "brings back 1 byte",
    why: /quota: it wrote/,
  },
  {
    name: "lies about lengths",
    parts: { execute: [op.const(0), op.const(0x7fffffff), WRITE] },
    fails: "brings back 1 byte",
    why: /abi: it named bytes 0 to 2147483647/,
  },
  {
    name: "brings back something else",
    parts: {
      execute: [
        ...firstByteTo0,
        op.if,
        op.const(0),
        op.const(0),
        op.i32_load8_u,
        ...isDecode,
        op.i32_xor,
        op.i32_store8,
        ...tag,
        op.end,
        ...COPY,
        op.const(0),
      ],
    },
    fails: "brings back 1 byte",
    why: /differs at byte 0 of 1: 121 instead of 120/,
  },
  {
    name: "changes its output from call to call",
    parts: {
      execute: [
        ...isDecode,
        op.if,
        ...firstByteTo0,
        op.drop,
        op.else,
        op.global_get(0),
        op.const(1),
        op.i32_add,
        op.global_set(0),
        op.const(0),
        op.global_get(0),
        op.i32_store8,
        ...tag,
        op.end,
        ...COPY,
        op.const(0),
      ],
    },
    fails: "makes the same of the same",
    why: /depends on the calls before/,
  },
  {
    name: "traps on damaged data",
    parts: {
      execute: [
        ...isDecode,
        op.if,
        ...firstByteTo0,
        op.drop,
        op.const(0),
        op.i32_load8_u,
        op.const(0x41),
        op.i32_ne,
        op.if,
        op.unreachable,
        op.end,
        op.else,
        op.const(0),
        op.const(0x41),
        op.i32_store8,
        ...tag,
        op.end,
        ...COPY,
        op.const(0),
      ],
    },
    fails: "says of damaged data that it is",
    why: /trap/,
  },
  {
    name: "takes more memory with each call",
    parts: { execute: [op.const(1), op.memory_grow, op.drop, ...COPY, op.const(0)] },
    manifest: { limits: { memory_pages: 1000 } },
    fails: "takes no more memory from call to call",
    why: /after 20 calls and .* after more/,
  },
];

for (const { name, parts, manifest, fails, why } of BROKEN) {
  Deno.test(`a plugin that ${name} fails`, async () => {
    const findings = await findingsOf(parts, manifest, [fails]);
    const found = findings.find((each) => each.name === fails);
    equal(found?.state, "failed", JSON.stringify(findings, undefined, 1));
    equal(why.test(found!.message), true, found!.message);
  });
}

const cipherFindings = (execute: PluginParts["execute"], only?: string[]) => {
  return findingsOf({ execute, memory: { minimum: 220 } }, CIPHER, only);
};

Deno.test("a cipher that keeps the rules passes", async () => {
  const findings = await cipherFindings(toyCipher());
  deepEqual(findings.filter(({ state }) => state !== "ok"), []);
});

const BROKEN_CIPHERS: { name: string; execute: PluginParts["execute"]; fails: string; why: RegExp }[] = [
  {
    name: "shows what it seals",
    execute: toyCipher({ showsPlain: true }),
    fails: "hides what it seals",
    why: /shows the plain bytes/,
  },
  {
    name: "ignores the nonce",
    execute: toyCipher({ ignoresNonce: true }),
    fails: "uses the nonce",
    why: /the same ciphertext/,
  },
  {
    name: "checks no tag",
    execute: toyCipher({ ignoresTag: true }),
    fails: "refuses every flipped bit",
    why: /bit 0 of the sealed bytes/,
  },
  { name: "seals nothing", execute: [op.const(0)], fails: "brings back 1 byte", why: /made 0 bytes of 1 instead of 5/ },
];

for (const { name, execute, fails, why } of BROKEN_CIPHERS) {
  Deno.test(`a cipher that ${name} fails`, async () => {
    const found = (await cipherFindings(execute, [fails])).find((each) => each.name === fails);
    equal(found?.state, "failed", found?.message);
    equal(why.test(found!.message), true, found!.message);
  });
}

/** One byte for each entry: whatever `verdict` leaves on the stack, with the place of the entry in local 0. */
const filter = (verdict: readonly (readonly number[])[]): PluginParts["execute"] => [
  OP,
  op.const(10),
  op.i32_ne,
  op.if,
  op.const(2),
  op.return,
  op.end,
  op.block,
  op.loop,
  op.const(0), // the length of an entry comes to 0, the entry itself to the second page
  op.const(4),
  READ,
  op.i32_eqz,
  op.br_if(1),
  op.const(65536),
  op.const(0),
  op.i32_load,
  READ,
  op.drop,
  op.const(8),
  ...verdict,
  op.i32_store8,
  op.const(8),
  op.const(1),
  WRITE,
  op.drop,
  op.local_get(0),
  op.const(1),
  op.i32_add,
  op.local_set(0),
  op.br(0),
  op.end,
  op.end,
  op.const(0),
];
const FILTER = { category: "filter", format_id: undefined };

Deno.test("a filter that keeps the rules passes", async () => {
  const findings = await findingsOf({ execute: filter([op.const(1)]) }, FILTER);
  deepEqual(findings.filter(({ state }) => state !== "ok"), []);
  match(findings.find(({ name }) => name === "answers for every entry")!.message, /saves 1000 of 1000/);
});

const BROKEN_FILTERS: { name: string; execute: PluginParts["execute"]; fails: string; why: RegExp }[] = [
  { name: "says nothing", execute: [op.const(0)], fails: "answers for every entry", why: /0 bytes for 1000 entries/ },
  {
    name: "answers with something else",
    execute: filter([op.const(7)]),
    fails: "answers for every entry",
    why: /answered 7 for an entry/,
  },
  {
    name: "goes by the place in the list",
    execute: filter([op.local_get(0), op.const(3), op.i32_eq]),
    fails: "says the same of an entry in any company",
    why: /entry 3 depends on the entries beside it/,
  },
  {
    name: "remembers the calls before",
    execute: filter([op.global_get(0), op.const(1), op.global_set(0)]),
    fails: "says the same in a fresh instance",
    why: /depends on the calls before/,
  },
];

for (const { name, execute, fails, why } of BROKEN_FILTERS) {
  Deno.test(`a filter that ${name} fails`, async () => {
    const found = (await findingsOf({ execute }, FILTER, [fails])).find((each) => each.name === fails);
    equal(found?.state, "failed", found?.message);
    match(found!.message, why);
  });
}

const strategy = (result: string): PluginParts => ({
  execute: [
    OP,
    op.const(11),
    op.i32_ne,
    op.if,
    op.const(2),
    op.return,
    op.end,
    op.const(0),
    op.const(result.length),
    ADDED,
  ],
  imports: [{ module: CALL_MODULE, name: "result", parameters: [I32, I32], results: [I32] }],
  data: utf8(result),
});
const STRATEGY = { category: "strategy", format_id: undefined };

Deno.test("a strategy that keeps the rules passes", async () => {
  const findings = await findingsOf(strategy('{"mode":"full","parent":null}'), STRATEGY);
  deepEqual(findings.filter(({ state }) => state !== "ok"), []);
});

const BROKEN_STRATEGIES = [
  { name: "decides for something else", result: '{"mode":"half"}', why: /its mode is "half"/ },
  { name: "gives a full backup a parent", result: '{"mode":"full","parent":"a"}', why: /full backup a parent/ },
  {
    name: "makes up a parent",
    result: '{"mode":"incremental","parent":"a"}',
    why: /parent a is none of the snapshots/,
  },
  { name: "gives no JSON", result: "full", why: /no JSON: full/ },
];

for (const { name, result, why } of BROKEN_STRATEGIES) {
  Deno.test(`a strategy that ${name} fails`, async () => {
    const fails = "decides: one, of yesterday";
    const found = (await findingsOf(strategy(result), STRATEGY, [fails])).find((each) => each.name === fails);
    equal(found?.state, "failed", found?.message);
    match(found!.message, why);
  });
}

Deno.test("what builds on what failed is left out", async () => {
  const findings = await findingsOf({ initialize: [op.const(9)] });
  deepEqual(findings.slice(0, 2).map(({ state }) => state), ["ok", "failed"]);
  equal(
    findings.slice(2).every(({ state, message }) => state === "skipped" && /has to work first/.test(message)),
    true,
  );
});
