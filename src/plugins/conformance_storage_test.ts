import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { systemClock } from "../base/clock.ts";
import type { Bytes } from "../base/bytes.ts";
import { ERROR_CLASSES } from "./abi.ts";
import { op } from "./wasm_fixture.ts";
import { admit } from "./admission.ts";
import { type ConformanceFinding, testPlugin } from "./conformance.ts";
import { type Posted, type PostmanAnswer, postmanPlugin } from "./postman_fixture.ts";
import { hostServices } from "./services/host_services.ts";
import { rightAnswer, type ToyAnswer, toyStorage, toyStorageServer } from "./toy_storage_fixture.ts";

async function findingsOf(
  answer: ToyAnswer,
  only?: string[],
  left: string[] = [],
  make: (port: number) => Bytes = toyStorage,
): Promise<ConformanceFinding[]> {
  await using server = toyStorageServer(answer);
  const plugin = admit(make(server.port)), clock = systemClock;
  const services = hostServices({ stateFolder: undefined, clock });
  const findings = await testPlugin(plugin, { clock, only, services, granted: plugin.manifest.capabilities });
  left.push(...server.objects.keys());
  return findings;
}

Deno.test("a storage plugin that keeps the rules passes, and leaves nothing behind", async () => {
  const left: string[] = [];
  const findings = await findingsOf(rightAnswer, undefined, left);
  deepEqual(findings.filter(({ state }) => state !== "ok"), []);
  const said = (name: string) => findings.find((each) => each.name === name)!.message;
  match(said("lists everything once, page by page"), /25 in 3 pages/);
  match(said("says of a network that breaks off that it may come back"), /put, get, stat, list, delete/);
  deepEqual(left, []);
});

Deno.test("without a grant a storage plugin is tried as far as it goes, and what was not tried says why", async () => {
  const findings = await testPlugin(admit(toyStorage(1)), { clock: systemClock });
  const skipped = findings.filter(({ state }) => state === "skipped");
  equal(skipped.length, 1);
  match(skipped[0].message, /send requests over the network to 127\.0\.0\.1:1.*\(net\.http\), and nobody granted/);
  ok(findings.some(({ group, state }) => group === "swap" && state === "ok"));
});

/** What does as it should but for some calls. */
const but = (change: (posted: Posted, right: () => PostmanAnswer, keys: string[]) => PostmanAnswer): ToyAnswer => {
  return (objects, posted) => change(posted, () => rightAnswer(objects, posted), [...objects.keys()]);
};

const BROKEN: { name: string; answer: ToyAnswer; fails: string; why: RegExp }[] = [
  {
    name: "keeps nothing",
    answer: but(({ operation }, right) => operation === "put" ? {} : right()),
    fails: "stores an object, and has it",
    why: /get of .*not_found/,
  },
  {
    name: "stores text only",
    answer: but(({ operation }, right) => {
      const { output, ...others } = right();
      return operation === "get" ? { ...others, output: output?.map((byte) => byte & 0x7f) } : { ...others, output };
    }),
    fails: "brings back every byte, and none",
    why: /differs at byte 128 of 1024/,
  },
  {
    name: "does not know lengths",
    answer: but(({ operation }, right) => operation === "stat" ? { result: { length: 0 } } : right()),
    fails: "stores an object, and has it",
    why: /stat says 0 of an object of 100 bytes/,
  },
  {
    name: "breaks off large objects",
    answer: but(({ operation, header }, right) => {
      const { output, ...others } = right();
      const isWhole = operation === "get" && header.length === undefined;
      return { ...others, output: isWhole ? output?.slice(0, 10_000_000) : output };
    }),
    fails: "brings back 64 MiB",
    why: /what comes back of 67108864 bytes has 10000000 bytes/,
  },
  {
    name: "overwrites",
    answer: (objects, posted) => {
      if (posted.operation === "put") objects.delete(posted.header.key);
      return rightAnswer(objects, posted);
    },
    fails: "writes once",
    why: /put again with other bytes differs/,
  },
  {
    name: "says of other bytes that it has them",
    answer: but(({ operation }, right) => {
      const answer = right();
      return operation === "put" && answer.failure === "conflict" ? {} : answer;
    }),
    fails: "writes once",
    why: /put answers 0 to other bytes under a key that is taken/,
  },
  {
    name: "lets every writer win",
    answer: but(({ operation, header }, right) => {
      const answer = right();
      return operation === "put" && /raced$/.test(header.key) ? {} : answer;
    }),
    fails: "lets one of many writers win",
    why: /8 of 8 writers of one key were told that they did/,
  },
  {
    name: "knows no ranges",
    answer: but(({ operation, header }, right) => {
      const { output, ...others } = right();
      return { ...others, output: operation === "get" && header.offset > 0 ? output?.slice(1) : output };
    }),
    fails: "gives ranges",
    why: /1 bytes from 99999 has 0 bytes, not 1/,
  },
  {
    name: "gives more than there is",
    answer: but(({ operation, header }, right) => {
      return operation === "get" && header.offset >= 10 ? { output: new Uint8Array(header.length) } : right();
    }),
    fails: "gives nothing beyond the end",
    why: /it gives 1 bytes from 10 of an object of 10/,
  },
  {
    name: "takes what is not there for a fault of its own",
    answer: but(({ operation }, right) => {
      const answer = right();
      return operation === "stat" && answer.failure === "not_found" ? { failure: "internal" } : answer;
    }),
    fails: "says not_found of what is not there",
    why: /stat of what is not there answers internal/,
  },
  {
    name: "takes nothing away",
    answer: but(({ operation }, right) => operation === "delete" ? {} : right()),
    fails: "deletes, also what is gone",
    why: /what was deleted is still there/,
  },
  {
    name: "cannot delete twice",
    answer: but(({ operation, header }, right, keys) => {
      return operation === "delete" && !keys.includes(header.key) ? { failure: "not_found" } : right();
    }),
    fails: "deletes, also what is gone",
    why: /delete answers not_found to what is gone/,
  },
  {
    name: "lists one page",
    answer: but(({ operation }, right) => {
      const { result, ...others } = right();
      return operation === "list" ? { result: { ...result as object, cursor: undefined } } : { result, ...others };
    }),
    fails: "lists everything once, page by page",
    why: /it does not list axiom-test\/[0-9a-f]{16}\//,
  },
  {
    name: "lists for ever",
    answer: but(({ operation }, right) => operation === "list" ? { result: { entries: [], cursor: "more" } } : right()),
    fails: "lists everything once, page by page",
    why: /has no end/,
  },
  {
    name: "lists the first page again and again",
    answer: (objects, { header: { cursor, ...header }, ...posted }) =>
      rightAnswer(objects, { ...posted, header: posted.operation === "list" ? header : { cursor, ...header } }),
    fails: "lists everything once, page by page",
    why: /twice/,
  },
  {
    name: "lists what is beside the prefix",
    answer: but(({ operation }, right) => {
      return operation === "list" ? { result: { entries: [{ key: "elsewhere", length: 1 }] } } : right();
    }),
    fails: "lists everything once, page by page",
    why: /it lists elsewhere below axiom-test/,
  },
];

for (const { name, answer, fails, why } of BROKEN) {
  Deno.test(`a storage plugin that ${name} fails`, async () => {
    const findings = await findingsOf(answer, [fails]);
    const found = findings.find((each) => each.name === fails);
    equal(found?.state, "failed", JSON.stringify(findings, undefined, 1));
    match(found!.message, why);
  });
}

Deno.test("a storage plugin that takes a network that breaks off for an absent object fails", async () => {
  const name = "says of a network that breaks off that it may come back", about = { category: "storage" };
  const notFound = [op.const(ERROR_CLASSES.indexOf("not_found"))];
  const findings = await findingsOf(rightAnswer, [name], [], (port) => postmanPlugin(port, "/", about, notFound));
  const found = findings.find((each) => each.name === name);
  equal(found?.state, "failed");
  match(found!.message, /it answers not_found to put, as if there had been an answer/);
});
