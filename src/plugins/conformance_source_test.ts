import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { type Bytes, utf8 } from "../base/bytes.ts";
import { systemClock } from "../base/clock.ts";
import { admit } from "./admission.ts";
import { type ConformanceFinding, testPlugin } from "./conformance.ts";
import { noise } from "./conformance_samples.ts";
import { type Posted, type PostmanAnswer, postmanPlugin, postmanServer } from "./postman_fixture.ts";
import { hostServices } from "./services/host_services.ts";
import { op } from "./wasm_fixture.ts";
import { streamAnswer, toySource, type ToyStream } from "./toy_source_fixture.ts";

const STREAMS = new Map<string, ToyStream>([
  ["empty", { data: new Uint8Array(0) }],
  ["small", { data: utf8("some text\n"), listed: { version: "1", modified_ns: "1700000000000000000" } }],
  ["unknown length", { data: noise(1 << 20), listed: { length: undefined } }],
  ["long", { data: noise(3_000_000) }],
]);

const right = (posted: Posted) => streamAnswer(STREAMS, posted);

async function findingsOf(
  answer: (posted: Posted) => PostmanAnswer,
  only?: string[],
  make: (port: number) => Bytes = toySource,
): Promise<ConformanceFinding[]> {
  await using server = postmanServer(answer);
  const plugin = admit(make(server.port)), clock = systemClock;
  const services = hostServices({ stateFolder: undefined, clock });
  return await testPlugin(plugin, { clock, only, services, granted: plugin.manifest.capabilities });
}

Deno.test("a source that keeps the rules passes", async () => {
  const findings = await findingsOf(right);
  deepEqual(findings.filter(({ state }) => state !== "ok"), []);
  match(findings.find(({ name }) => name === "lists what it offers")!.message, /^4 with names.*of 3 the length/);
});

Deno.test("a source that goes by cursors of its own passes, and so does one that offers nothing", async () => {
  const findings = await findingsOf((posted) => {
    const { data } = STREAMS.get(posted.header.name) ?? {};
    if (posted.operation !== "read" || data === undefined) return right(posted);
    const from = Number(posted.header.cursor ?? 0),
      to = Math.min(from + 70_000, from + posted.header.length, data.length);
    return { output: data.slice(from, to), result: to === data.length ? {} : { cursor: String(to) } };
  });
  deepEqual(findings.filter(({ state }) => state !== "ok"), []);
  const nothing = await findingsOf((posted) => streamAnswer(new Map(), posted));
  deepEqual(nothing.filter(({ state }) => state !== "ok"), []);
});

const listing = (result: unknown) => (posted: Posted) => posted.operation === "list" ? { result } : right(posted);
const reading = (change: (output: Bytes, posted: Posted, turn: number) => PostmanAnswer) => {
  let turn = 0;
  return (posted: Posted) => {
    const { output, ...others } = right(posted);
    return posted.operation !== "read" || output === undefined ? { output, ...others } : change(output, posted, ++turn);
  };
};

/** Made for each test, since some count their calls. */
const BROKEN: { name: string; answer: () => (posted: Posted) => PostmanAnswer; fails: string; why: RegExp }[] = [
  {
    name: "lists a way out",
    answer: () => listing({ entries: [{ name: "../out" }] }),
    fails: "lists what it offers",
    why: /"..\/out" is no name of a stream: it has a \/ in it/,
  },
  {
    name: "lists twice the same",
    answer: () => listing({ entries: [{ name: "a" }, { name: "a" }] }),
    fails: "lists what it offers",
    why: /a is there twice/,
  },
  { name: "lists nonsense", answer: () => listing("[]"), fails: "lists what it offers", why: /no JSON object/ },
  {
    name: "lists something else each time",
    answer: () => {
      let turn = 0;
      return (posted) =>
        posted.operation === "list" ? { result: { entries: [{ name: `a${turn++}` }] } } : right(posted);
    },
    fails: "lists the same in a fresh instance",
    why: /it lists a[01], and did not once more/,
  },
  {
    name: "lists a length that is not",
    answer: () => listing({ entries: [{ name: "long", length: 2_999_999 }] }),
    fails: "gives the same bytes again",
    why: /it goes on after 2999999 bytes, listed with 2999999/,
  },
  {
    name: "breaks off before the length that it lists",
    answer: () => listing({ entries: [{ name: "long", length: 3_000_001 }] }),
    fails: "gives the same bytes again",
    why: /it ended after 3000000 bytes, listed with 3000001/,
  },
  {
    name: "gives other bytes each time",
    answer: () => reading((output, _, turn) => ({ output: output.map((byte) => byte + turn) })),
    fails: "gives the same bytes again",
    why: /the stream small differs at byte 0 the second time/,
  },
  {
    name: "goes by its own idea of a part",
    answer: () =>
      reading((output, { header: { name, offset, length } }) => {
        const at = Math.floor(offset / (1 << 20)) << 20;
        return { output: offset % (1 << 20) === 0 ? output : STREAMS.get(name)!.data.slice(at, at + length) };
      }),
    fails: "gives the same bytes in parts of another length",
    why: /the stream long differs at byte 1000 in parts of 1000/,
  },
  {
    name: "begins anew after its end",
    answer: () =>
      reading((output, { header: { name, offset, length } }) => {
        const { data } = STREAMS.get(name)!;
        return { output: offset === data.length && offset % (1 << 20) !== 0 ? data.slice(0, length) : output };
      }),
    fails: "gives nothing where a stream ends",
    why: /the stream small gives 10 bytes after its 10/,
  },
  {
    name: "gives an empty stream for one that is not there",
    answer: () => (posted) => posted.operation === "read" && !STREAMS.has(posted.header.name) ? {} : right(posted),
    fails: "says not_found of a stream that it does not offer",
    why: /it answers 0 for a stream that it never listed/,
  },
  {
    name: "promises more and gives nothing",
    answer: () => reading(() => ({ result: { cursor: "more" } })),
    fails: "gives the same bytes again",
    why: /it gave no byte, and says that there are more/,
  },
  {
    name: "traps",
    answer: () => reading((output, { header: { offset } }) => offset === 0 ? { output } : { failure: "traps" }),
    fails: "gives the same bytes again",
    why: /trap: unreachable/,
  },
];

for (const { name, answer, fails, why } of BROKEN) {
  Deno.test(`a source that ${name} fails`, async () => {
    const findings = await findingsOf(answer(), [fails]);
    const found = findings.find((each) => each.name === fails);
    equal(found?.state, "failed", JSON.stringify(findings, undefined, 1));
    match(found!.message, why);
  });
}

Deno.test("a source that takes a network that breaks off for the end of a stream fails", async () => {
  const name = "says of a network that breaks off that it may come back", about = { category: "source" };
  const findings = await findingsOf(right, [name], (port) => postmanPlugin(port, "/", about, [op.const(0)]));
  const found = findings.find((each) => each.name === name);
  equal(found?.state, "failed");
  match(found!.message, /it answers 0 to read, as if there had been an answer/);
});
